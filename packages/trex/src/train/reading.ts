import { availableParallelism } from 'node:os'
import { type EvalBatch, evalBatches, type ReadOptions } from '../data/loader/loader.js'
import type { WorkerOptions } from '../data/loader/workers.js'
import type { Sample } from '../data/sources/sample.js'
import type { Settings } from '../settings.js'

/** What validation reads images with. */
export type ValidationReading = Pick<ReadOptions, 'pool' | 'bad' | 'stream' | 'signal'>

/** The threads that decode and transform images, as settings say. */
export function workerOptions({
  workers,
  normalization,
  data,
}: Pick<Settings, 'workers' | 'normalization' | 'data'>): WorkerOptions {
  return {
    workers: workers === 'auto' ? Math.min(4, availableParallelism()) : workers,
    normalization,
    decode: { autoOrient: data.autoOrient },
  }
}

/** Batches of all samples in order, prepared as settings say for validation. */
export function validationBatches(
  samples: readonly Sample[],
  { validation, batchSize }: Pick<Settings, 'validation' | 'batchSize'>,
  reading: ValidationReading,
): AsyncGenerator<EvalBatch, void, void> {
  const { resize, crop } = validation
  return evalBatches(samples, { resize, crop, filter: 'bilinear', batchSize, ...reading })
}
