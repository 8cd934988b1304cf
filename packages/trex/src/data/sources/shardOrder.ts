import { rngFor } from '../../rng.js'

/** Third key of the stream of this file; larger than any class, which splits have there. */
const ORDER_STREAM = 2 ** 32 - 1

/** An epoch's order of samples, and the shards in the order in which they are read for it. */
export interface ShardOrder {
  readonly order: Uint32Array
  readonly shards: Uint32Array
}

/**
 * The order of an epoch, where shard s has the `sizes[s]` samples after those of the shards before it: shards shuffled,
 * their samples in turn flowing through a buffer of `buffer` samples, out of which one is drawn at random each time. It
 * depends on the arguments alone. A sample comes at most `buffer` - 1 places before its turn; `buffer` of all samples
 * is a full shuffle, of 1 none within the shards.
 */
export function shuffleShards(
  sizes: readonly number[],
  buffer: number,
  seed: number,
  epoch: number,
): ShardOrder {
  const rng = rngFor(seed, epoch, ORDER_STREAM)
  const shards = rng.permutation(sizes.length)
  const starts: number[] = []
  let total = 0
  for (const size of sizes) {
    starts.push(total)
    total += size
  }
  const order = new Uint32Array(total)
  const held = new Uint32Array(Math.min(buffer, total))
  let filled = 0
  let out = 0
  for (const shard of shards) {
    for (let i = 0; i < sizes[shard]!; i++) {
      const sample = starts[shard]! + i
      if (filled < held.length) {
        held[filled++] = sample
        continue
      }
      const drawn = rng.int(filled)
      order[out++] = held[drawn]!
      held[drawn] = sample
    }
  }
  order.set(rng.shuffle(held), out)
  return { order, shards }
}

/** What a reader of samples needs to know of them: the shard, and the place in it. */
export interface Placed {
  readonly shard: number
  readonly offset: number
}

/**
 * In which order to read what is wanted in the order of `wanted`, each shard front to back: the places of `wanted`,
 * shard by shard, by that of `candidates` (orders of the shards) which makes the reader hold the fewest samples.
 */
export function planReading(
  wanted: readonly Placed[],
  candidates: readonly Uint32Array[],
): { places: Uint32Array; held: number } {
  let best: { places: Uint32Array; held: number } | null = null
  for (const shards of candidates) {
    const rank = new Map(Array.from(shards, (shard, i) => [shard, i]))
    const turn = (place: number) => rank.get(wanted[place]!.shard)!
    const places = Uint32Array.from(wanted.keys()).sort(
      (a, b) => turn(a) - turn(b) || wanted[a]!.offset - wanted[b]!.offset || a - b,
    )
    const held = mostHeld(places)
    if (best === null || held < best.held) best = { places, held }
  }
  return best!
}

/** The samples read but not yet wanted, at most, when they are read in the order `places` and used in order 0, 1, ... */
function mostHeld(places: Uint32Array): number {
  const readAt = new Uint32Array(places.length)
  for (const [turn, place] of places.entries()) readAt[place] = turn
  let read = 0
  let most = 0
  for (const [used, turn] of readAt.entries()) {
    read = Math.max(read, turn + 1)
    most = Math.max(most, read - used)
  }
  return most
}
