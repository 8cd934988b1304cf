import type { RemoteFile } from './httpFile.js'
import type { HttpPolicy } from './httpRetry.js'
import type { RemoteSlice, Sample, SampleStream } from './sample.js'
import { planReading, shuffleShards } from './shardOrder.js'
import { openShardReader, type Wish } from './shardReader.js'

/** What a stream reads, and how. */
export interface ShardStreamOptions {
  readonly files: readonly RemoteFile[]
  /** By shard in the order of `files`, each shard's by offset. */
  readonly train: readonly Sample[]
  readonly shuffleBuffer: number
  readonly policy: HttpPolicy
}

/** Orders of shards that are remembered: of an epoch, the next, and those of another seed. */
const REMEMBERED = 4

/**
 * Reads shards on servers front to back. `open` finds by itself which of the orders given last its samples come from,
 * a part of one as well (the rest of an epoch, a rank's share), so that about `shuffleBuffer` samples are held.
 */
export function openShardStream({ files, train, shuffleBuffer, policy }: ShardStreamOptions): SampleStream {
  if (!(Number.isInteger(shuffleBuffer) && shuffleBuffer >= 1)) {
    throw new RangeError(`shuffleBuffer is ${shuffleBuffer}, not an integer of at least 1`)
  }
  const shardOf = new Map(files.map(({ url }, shard) => [url, shard]))
  const sizes = files.map(() => 0)
  for (const sample of train) sizes[shardOf.get(sliceOf(sample).url)!]!++
  let remembered: Uint32Array[] = []
  return {
    order(seed, epoch) {
      const { order, shards } = shuffleShards(sizes, shuffleBuffer, seed, epoch)
      remembered = [shards, ...remembered].slice(0, REMEMBERED)
      return order
    },
    open(samples, signal) {
      const wanted: (Wish & { shard: number })[] = []
      for (const [place, sample] of samples.entries()) {
        if (sample.problem) continue
        const { url, offset, length } = sliceOf(sample)
        const shard = shardOf.get(url)
        if (shard === undefined) throw new RangeError(`${sample.path} is in none of the stream's shards`)
        wanted.push({ place, shard, file: files[shard]!, offset, length })
      }
      const inTurn = Uint32Array.from(files.keys())
      const { places, held } = planReading(wanted, [inTurn, ...remembered])
      const wishes = Array.from(places, (place) => wanted[place]!)
      const window = Math.max(held, shuffleBuffer)
      return openShardReader({ wishes, samples, window, policy, signal })
    },
  }
}

function sliceOf({ at, path }: Sample): RemoteSlice {
  if (at?.kind !== 'remote') throw new RangeError(`${path} is not on a server`)
  return at
}
