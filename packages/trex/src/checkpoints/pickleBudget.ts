import { PickleTuple, type PickleValue } from './pickleValues.js'

/** What the values of a pickle may take of memory; its methods throw RangeError when that is used up. */
export interface PickleBudget {
  /** Counts bytes. */
  spend(bytes: number): void
  /** Counts an entry of a dict or a set. */
  entry(key: PickleValue): void
}

/** Estimates in bytes, above what V8 was measured to take, with the room that growing arrays and tables need. */
export const COSTS = { slot: 32, item: 24, entry: 112, tuple: 144, container: 384 } as const

/**
 * A checkpoint takes some 3 kB for a tensor, for which its pickle has 150 to 200 bytes; in an optimizer's state 86, so that
 * some 15,000 tensors are the most there.
 */
const FREE = 16 << 20
const PER_BYTE = 32
/** Of a large pickle: more than the bytes of its file, so that with these all is below twice the file and 64 MiB. */
const ABOVE_FILE = 44 << 20
const MOST = 2 ** 31

/**
 * Keys that V8 hashes without a secret, so that thousands can be made to fall on one place, and each take the time of
 * all. Files have them: before PyTorch 1.5 optimizers counted parameters by their addresses.
 */
const MAX_WIDE_KEYS = 1 << 13
const WIDE = 1 << 20

/** The budget of a pickle of so many bytes in a file of so many: 45 MiB for one of 1 MB. */
export function pickleBudget(bytes: number, file = bytes): PickleBudget {
  let left = Math.min(FREE + PER_BYTE * bytes, ABOVE_FILE + file, MOST)
  let wideKeys = MAX_WIDE_KEYS
  const spend = (cost: number) => {
    left -= cost
    if (left < 0) throw new RangeError('its values take more memory than those of checkpoints of its size')
  }
  return {
    spend,
    entry(key) {
      spend(COSTS.entry)
      if (isWide(key) && --wideKeys < 0)
        throw new RangeError(`it has more than ${MAX_WIDE_KEYS} keys that are large or broken numbers`)
    },
  }
}

const isWide = (key: PickleValue): boolean =>
  typeof key === 'bigint' || (typeof key === 'number' && !(Number.isInteger(key) && key >= 0 && key < WIDE))

/** What a new value takes by itself; entries and appended items are counted as they come. */
export function costOf(value: PickleValue): number {
  if (typeof value === 'string') return 32 + 2 * value.length
  if (typeof value === 'bigint') return 1024
  if (value === null || typeof value !== 'object') return 0
  if (value instanceof PickleTuple) return COSTS.tuple + COSTS.item * value.items.length
  if (Array.isArray(value)) return COSTS.container + COSTS.item * value.length
  if (value instanceof Uint8Array) return COSTS.container + value.length
  return COSTS.container
}
