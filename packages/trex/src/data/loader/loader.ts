import { TrexError } from '../../errors.js'
import type { DecodeOptions } from '../decode/decode.js'
import type { EvalTransform } from '../pixels/evalTransform.js'
import type { CropGroup } from '../pixels/multiCrop.js'
import { IMAGENET_NORMALIZATION, type Normalization } from '../pixels/normalize.js'
import type { Sample } from '../sources/sample.js'
import { type Batch, type BatchMemory, streamBatches } from './batchStream.js'
import type { FillSettings, Transform } from './fillRows.js'
import { createSampler } from './sampler.js'
import { openWorkerPool, type WorkerPool } from './workerPool.js'

export type { Batch } from './batchStream.js'

/** Options of every loader. */
export interface ReadOptions {
  /** Images a step and rank. */
  batchSize: number
  /** Threads that decode and transform; 0 (the default) does it in the calling thread. */
  workers?: number
  /** Batches prepared ahead (default 2); without workers there are none. */
  prefetch?: number
  rank?: number
  worldSize?: number
  /** Default: IMAGENET_NORMALIZATION. */
  normalization?: Normalization
  decode?: Pick<DecodeOptions, 'autoOrient' | 'maxPixels'>
  /** Ends the batches with the signal's reason. */
  signal?: AbortSignal
}

/** Options of the loader of training batches. */
export interface LoaderOptions extends ReadOptions {
  samples: readonly Sample[]
  /** One encoder pass each, global crops first. */
  groups: readonly CropGroup[]
  /** Decides, with the epoch and the sample's number, the order and every pixel. */
  seed?: number
  /** Leave out the last, incomplete global batch; default true. */
  dropLast?: boolean
  /** Each worker keeps decoded images up to this many bytes; default 0. */
  cacheBytes?: number
}

/** Training batches, epoch by epoch. */
export interface Loader {
  /** Batches an epoch. */
  readonly batches: number
  /** The batches of an epoch from `startBatch` on, whatever was read before; throws RangeError past the epoch's end. */
  epoch(epoch: number, startBatch?: number): AsyncGenerator<Batch, void, void>
  /** Ends the workers. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Opens the loader of training batches: decode, multi-crop, normalise. The batches depend on samples, groups, sizes
 * and (seed, epoch) alone, not on workers, prefetch or the start. Throws TrexError if there is not one full batch; the
 * batches reject with DecodeError at a bad image.
 */
export function openLoader(options: LoaderOptions): Loader {
  const { samples, groups, seed = 0, cacheBytes = 0 } = options
  const sampler = createSampler({ ...options, length: samples.length })
  if (sampler.batches === 0) {
    const globalBatch = options.batchSize * (options.worldSize ?? 1)
    throw new TrexError(`${samples.length} training images do not fill one batch of ${globalBatch}`, {
      hint: 'lower the batch size, or add images',
    })
  }
  const transform: Transform = { kind: 'multiCrop', groups, seed }
  const pool = openPool(options, transform, cacheBytes)
  const memory: BatchMemory = new Map()
  const close = () => pool.close()
  return {
    batches: sampler.batches,
    epoch(epoch, startBatch = 0) {
      if (!(Number.isInteger(startBatch) && startBatch >= 0 && startBatch <= sampler.batches)) {
        throw new RangeError(`startBatch is ${startBatch}, but an epoch has ${sampler.batches} batches`)
      }
      const order = sampler.order(epoch)
      return streamBatches({
        ...streamSettings(options, pool),
        memory,
        transform,
        samples,
        epoch,
        start: startBatch,
        batches: sampler.batches,
        indicesOf: (index) => sampler.batch(order, index),
      })
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** One batch of evaluation images. */
export interface EvalBatch extends Omit<Batch, 'crops' | 'epoch'> {
  /** [B, 3, S, S] normalised values, in a SharedArrayBuffer. */
  images: Float32Array
}

/**
 * All samples in order, prepared for evaluation; the last batch may be smaller. The workers end with the batches.
 * Rejects with DecodeError at a bad image.
 */
export async function* evalBatches(
  samples: readonly Sample[],
  options: ReadOptions & EvalTransform,
): AsyncGenerator<EvalBatch, void, void> {
  const { resize, crop, filter } = options
  const transform: Transform = { kind: 'eval', transform: { resize, crop, filter } }
  const sampler = createSampler({ ...options, length: samples.length, shuffle: false, dropLast: false })
  const pool = openPool(options, transform, 0)
  const order = sampler.order(0)
  try {
    const stream = streamBatches({
      ...streamSettings(options, pool),
      memory: new Map(),
      transform,
      samples,
      epoch: 0,
      start: 0,
      batches: sampler.batches,
      indicesOf: (index) => sampler.batch(order, index),
    })
    for await (const { crops, index, size, labels, indices, release } of stream) {
      yield { images: crops[0]!, index, size, labels, indices, release }
    }
  } finally {
    await pool.close()
  }
}

function openPool(options: ReadOptions, transform: Transform, cacheBytes: number): WorkerPool {
  const { workers = 0, normalization = IMAGENET_NORMALIZATION, decode = {} } = options
  if (!(Number.isInteger(workers) && workers >= 0)) throw new RangeError(`workers is ${workers}`)
  const settings: FillSettings = { transform, normalization, decode, cacheBytes }
  return openWorkerPool(workers, settings)
}

function streamSettings({ workers = 0, prefetch = 2, signal }: ReadOptions, pool: WorkerPool) {
  return { pool, prefetch: workers === 0 ? 0 : prefetch, signal }
}
