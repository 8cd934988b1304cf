import type { StoredNetwork } from './checkpoint.js'

/** Shapes an encoder needs, by name. */
export type WantedShapes = ReadonlyMap<string, readonly number[]>

/** Where an encoder was found, and how far its names and shapes go. */
export interface FoundEncoder {
  readonly network: StoredNetwork
  /** What stands before the encoder's names there. */
  readonly prefix: string
  /** Names of the encoder that the file has. */
  readonly taken: readonly string[]
  /** Names of the encoder that it lacks, but for counters of batches. */
  readonly missing: readonly string[]
  /** Counters of batches that it lacks: files of PyTorch before 0.4.1 do not have them, and no evaluation reads them. */
  readonly withoutCounter: readonly string[]
  /** Names whose shape is another one. */
  readonly misfits: readonly string[]
  /** Names of the network that are none of the encoder's. */
  readonly leftOver: readonly string[]
  /** Other places of the file that have as much of the encoder. */
  readonly others: readonly string[]
}

const COUNTER = /(^|\.)num_batches_tracked$/
/** Averages of a network, which are taken before it. */
const AVERAGE = /(^|[._])(teacher|ema)([._]|$)/i
/** Networks that serve to train another one, which is taken before them. */
const HELPER = /student|momentum|target|(^|[._])(encoder_k|key_encoder)([._]|$)/i

/** A place of a file in words: `teacher.backbone.` */
export const placeOf = (path: string, prefix: string): string => [path, prefix].filter(Boolean).join('.')

/** Whether a place has these words, one after the other: `encoder_k` and `state_dict.module` of `state_dict.module.encoder_k.` */
export const isAt = (place: string, key: string): boolean =>
  key === '' || `.${place}.`.includes(`.${key.replace(/\.$/, '')}.`)

/**
 * Finds the tensors of an encoder by their names, under whatever prefix and in whichever dict most of them are: of places
 * that have as many, an average of the weights (a teacher, an EMA) is taken before the network itself, and that before
 * networks that serve to train it (a student, a momentum encoder). `key`: only places that have these words.
 * @returns undefined when no name is the encoder's.
 */
export function findEncoder(
  networks: readonly StoredNetwork[],
  wanted: WantedShapes,
  key = '',
): FoundEncoder | undefined {
  const needed = new Set([...wanted.keys()].filter((name) => !COUNTER.test(name)))
  const places = networks
    .flatMap((network) =>
      [...prefixCounts(network.tensors.keys(), needed)].map(([prefix, count]) => {
        const place = placeOf(network.path, prefix)
        return { network, prefix, count, place, rank: rankOf(place) }
      }),
    )
    .filter(({ place }) => isAt(place, key))
  const [best, ...rest] = places.sort((a, b) => b.count - a.count || a.rank - b.rank)
  if (!best) return undefined
  const others = rest.filter(({ count }) => count === best.count).map(({ place }) => place)
  return { ...compare(best.network, best.prefix, wanted), others }
}

/** Prefixes under which names are wanted ones, and how many. */
export function prefixCounts(names: Iterable<string>, wanted: ReadonlySet<string>): Map<string, number> {
  const depth = Math.max(...[...wanted].map((name) => name.split('.').length))
  const counts = new Map<string, number>()
  for (const name of names) {
    let at = name.length
    for (let i = 0; i < depth && at > 0; i++) {
      at = name.lastIndexOf('.', at - 1)
      if (!wanted.has(name.slice(at + 1))) continue
      const prefix = name.slice(0, at + 1)
      counts.set(prefix, (counts.get(prefix) ?? 0) + 1)
    }
  }
  return counts
}

function rankOf(place: string): number {
  if (AVERAGE.test(place)) return 0
  return HELPER.test(place) ? 2 : 1
}

function compare(network: StoredNetwork, prefix: string, wanted: WantedShapes): Omit<FoundEncoder, 'others'> {
  const shapeOf = (name: string) => network.tensors.get(prefix + name)?.shape
  const [taken, absent] = [true, false].map((has) =>
    [...wanted.keys()].filter((name) => (shapeOf(name) !== undefined) === has),
  ) as [string[], string[]]
  const used = new Set(taken.map((name) => prefix + name))
  return {
    ...{ network, prefix, taken },
    missing: absent.filter((name) => !COUNTER.test(name)),
    withoutCounter: absent.filter((name) => COUNTER.test(name)),
    misfits: taken.filter((name) => `${shapeOf(name)}` !== `${wanted.get(name)}`),
    leftOver: [...network.tensors.keys()].filter((name) => !used.has(name)),
  }
}
