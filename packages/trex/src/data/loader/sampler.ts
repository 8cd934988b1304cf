import { rngFor } from '../../rng.js'

/** What decides which samples a rank sees, and when. */
export interface SamplerOptions {
  /** Number of samples of the data set. */
  length: number
  /** Samples a step and rank. */
  batchSize: number
  seed?: number
  /** A new order each epoch, from (seed, epoch); else 0, 1, 2, ... */
  shuffle?: boolean
  /** Leave out the last, incomplete global batch. */
  dropLast?: boolean
  rank?: number
  worldSize?: number
  /** Another order of the samples in an epoch than the shuffled one. */
  orderOf?: (epoch: number) => Uint32Array
}

/** The order of samples of one rank. */
export interface Sampler {
  /** Steps an epoch; the same on every rank. */
  readonly batches: number
  /** The sample numbers of step `index` of an epoch's order. */
  batch(order: Uint32Array, index: number): Uint32Array
  /** The order of all samples in one epoch; the same on every rank. */
  order(epoch: number): Uint32Array
}

/**
 * A sampler whose global batches do not depend on the number of ranks: step t takes the next batchSize * worldSize
 * samples of the epoch's order, and each rank its equal, contiguous part of them. An incomplete last batch is cut into
 * parts that differ by at most one sample, and may be empty. Throws RangeError for options that make no sense.
 */
export function createSampler({
  length,
  batchSize,
  seed = 0,
  shuffle = true,
  dropLast = true,
  rank = 0,
  worldSize = 1,
  orderOf,
}: SamplerOptions): Sampler {
  if (!(Number.isInteger(batchSize) && batchSize >= 1)) throw new RangeError(`batchSize is ${batchSize}`)
  if (!(Number.isInteger(rank) && rank >= 0 && rank < worldSize)) {
    throw new RangeError(`rank ${rank} of worldSize ${worldSize}`)
  }
  const globalBatch = batchSize * worldSize
  return {
    batches: dropLast ? Math.floor(length / globalBatch) : Math.ceil(length / globalBatch),
    order: (epoch) =>
      orderOf
        ? orderOf(epoch)
        : shuffle
          ? rngFor(seed, epoch).permutation(length)
          : Uint32Array.from({ length }, (_, i) => i),
    batch(order, index) {
      const start = index * globalBatch
      const size = Math.min(globalBatch, length - start)
      const part = (r: number) => start + Math.floor((size * r) / worldSize)
      return order.subarray(part(rank), part(rank + 1))
    },
  }
}
