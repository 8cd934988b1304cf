import type { ByteSource } from './byteSource.js'
import { CheckpointError, CONVERT_HINT } from './checkpointError.js'
import { unpickle } from './pickle.js'
import { pickleBudget } from './pickleBudget.js'
import type { PickleValue } from './pickleValues.js'
import { type PthFile, readPickle, readTensor } from './pthFile.js'
import { itemBytes, type PthStorage } from './pthTensor.js'
import { quoted } from './quoted.js'
import { torchMeaning } from './torchMeaning.js'

const MAGIC = 0x1950a86a20f9469cfc6cn
const PROTOCOL = 1001
/** What pickles may take at the beginning of the file. */
const MAX_HEAD = 1 << 26
const COUNT_BYTES = 8

/**
 * Opens a file as PyTorch wrote before 1.6: four pickles (a magic number, a version, the system, the object), the list
 * of the storages' keys, then each storage's number of elements and bytes.
 * @throws CheckpointError as `openPth` does.
 */
export function openLegacyPth(source: ByteSource): PthFile {
  const head = source.read(0, Math.min(source.size, MAX_HEAD))
  const storages = new Map<string, PthStorage>()
  const budget = pickleBudget(head.length, source.size)
  const meaning = torchMeaning((storage) => remember(storages, storage), budget)
  let at = 0
  const next = (): PickleValue => {
    const { value, end } = unpickle(head, meaning, budget, at)
    at = end
    return value
  }
  const refuse = (what: string): never => {
    throw new CheckpointError(source.name, what, { hint: CONVERT_HINT })
  }
  let keys: PickleValue = null
  const root = readPickle(source, () => {
    if (next() !== MAGIC) return refuse('is a pickle, but not one of torch.save')
    if (next() !== PROTOCOL) return refuse('has a version that is not known')
    const system = next()
    if (!(system instanceof Map) || system.get('little_endian') !== true)
      return refuse('has its numbers in another byte order than little-endian')
    const object = next()
    keys = next()
    return object
  })
  const begins = locate(source, at, keys, storages)
  return { root, read: (tensor) => readTensor(source, begins.get(tensor.storage.key)!, tensor) }
}

function remember(storages: Map<string, PthStorage>, storage: PthStorage): void {
  const known = storages.get(storage.key)
  if (known && (known.dtype !== storage.dtype || known.elements !== storage.elements))
    throw new RangeError(`storage ${quoted(storage.key)} is described in two ways`)
  if (storage.dtype === null)
    throw new RangeError(`storage ${quoted(storage.key)} has elements of a kind that is not read`)
  storages.set(storage.key, storage)
}

/** Where each storage's bytes begin. */
function locate(
  source: ByteSource,
  from: number,
  keys: PickleValue,
  storages: ReadonlyMap<string, PthStorage>,
): Map<string, number> {
  const damaged = (what: string): never => {
    throw new CheckpointError(source.name, `its storages cannot be read: ${what}`, {
      hint: 'Download or copy it again.',
    })
  }
  if (!Array.isArray(keys)) return damaged('they have no list')
  const begins = new Map<string, number>()
  let at = from
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined
    if (!storage || begins.has(storage.key)) return damaged(`${shown(key)} is not one that the tensors need`)
    if (at + COUNT_BYTES > source.size) return damaged('the file is cut short')
    const count = source.read(at, COUNT_BYTES)
    const told = new DataView(count.buffer, count.byteOffset, COUNT_BYTES).getBigInt64(0, true)
    if (told !== BigInt(storage.elements))
      return damaged(`storage ${quoted(storage.key)} has ${told} elements, not ${storage.elements}`)
    begins.set(storage.key, at + COUNT_BYTES)
    at += COUNT_BYTES + storage.elements * itemBytes(storage.dtype!)
    if (!(at <= source.size)) return damaged('the file is cut short')
  }
  const missing = [...storages.keys()].find((key) => !begins.has(key))
  return missing === undefined ? begins : damaged(`storage ${quoted(missing)} is missing`)
}

const shown = (key: PickleValue) => (typeof key === 'string' ? quoted(key) : 'something that is no text')
