import { availableParallelism } from 'node:os'
import { type Device, lowerThreadPool } from 'trex-torch'
import { type EvalBatch, evalBatches, type ReadOptions } from '../data/loader/loader.js'
import { openWorkers, type Workers } from '../data/loader/workers.js'
import type { Sample } from '../data/sources/sample.js'
import { pixelsFor } from '../method/imageTensor.js'
import type { Settings } from '../settings.js'

/** What validation reads images with. */
export type ValidationReading = Pick<ReadOptions, 'pool' | 'bad' | 'stream' | 'signal'>

/**
 * Starts the threads that decode and transform images, as settings say. Where the model computes on the CPU they, and
 * Node's thread pool for good, give way to the threads that compute: a kernel of libtorch whose threads wait for one
 * another is slowed down many times by one that has to wait for a core (docs/decisions/0011-data-threads-give-way.md).
 */
export function openDataWorkers(
  { workers, normalization, data }: Pick<Settings, 'workers' | 'normalization' | 'data'>,
  { device, cacheBytes = 0 }: { device: Device; cacheBytes?: number },
): Workers {
  const nice = device === 'cpu' ? MOST_YIELDING : 0
  if (nice > 0) lowerThreadPool(nice)
  return openWorkers({
    workers: workers === 'auto' ? Math.min(device === 'cpu' ? 4 : 16, availableParallelism()) : workers,
    normalization,
    pixels: pixelsFor(device),
    decode: { autoOrient: data.autoOrient },
    // Beside another busy program an image may wait for long, and is not to blame for it.
    ...{ cacheBytes, nice, stallSeconds: nice > 0 ? 600 : 60 },
  })
}

/** Less is not enough: beside a busy thread of niceness 10 a step takes as long as beside one of 0. */
const MOST_YIELDING = 19

/** Batches of all samples in order, prepared as settings say for validation. */
export function validationBatches(
  samples: readonly Sample[],
  { validation, batchSize }: Pick<Settings, 'validation' | 'batchSize'>,
  reading: ValidationReading,
): AsyncGenerator<EvalBatch, void, void> {
  const { resize, crop } = validation
  return evalBatches(samples, { resize, crop, filter: 'bilinear', batchSize, ...reading })
}
