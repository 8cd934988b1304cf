import { TrexError } from '../../errors.js'
import type { EvalTransform } from '../pixels/evalTransform.js'
import type { CropGroup } from '../pixels/multiCrop.js'
import type { Sample, SampleReader, SampleStream } from '../sources/sample.js'
import { type BadImages, collectBadImages } from './badImages.js'
import type { BatchMemory } from './batchMemory.js'
import { type Batch, type StreamPlan, streamBatches } from './batchStream.js'
import { createSampler, type Sampler } from './sampler.js'
import { openWorkers, type WorkerOptions, type Workers } from './workers.js'

export type { Batch } from './batchStream.js'

/** Options of every loader. */
export interface ReadOptions extends WorkerOptions {
  /** Images a step and rank. */
  batchSize: number
  /** Threads of `openWorkers` to use, which stay open; else the loader has its own. */
  pool?: Workers
  /** Batches prepared ahead (default: those of about 100 images, at least 2); without workers there are none. */
  prefetch?: number
  rank?: number
  worldSize?: number
  /** What to do at an image that cannot be read; by default it is an error. */
  bad?: BadImages
  /** Where the bytes of samples on a server come from. */
  stream?: SampleStream
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
 * and (seed, epoch) alone, not on workers, prefetch, the start, or a worker that died. Throws TrexError if there is not
 * one full batch; the batches reject with DecodeError at a bad image, unless it is to be left out, and with TrexError
 * at an image that three workers died of.
 */
export function openLoader(options: LoaderOptions): Loader {
  const { samples, groups, seed = 0, stream } = options
  const sampler = createSampler({
    ...options,
    length: samples.length,
    ...(stream && { orderOf: (epoch: number) => stream.order(seed, epoch) }),
  })
  if (sampler.batches === 0) {
    const globalBatch = options.batchSize * (options.worldSize ?? 1)
    throw new TrexError(`${samples.length} training images do not fill one batch of ${globalBatch}`, {
      hint: 'lower the batch size, or add images',
    })
  }
  const workers = options.pool ?? openWorkers(options)
  const plan = streamPlan(options, workers)
  const close = async () => {
    if (!options.pool) await workers.close()
  }
  return {
    batches: sampler.batches,
    epoch(epoch, startBatch = 0) {
      if (!(Number.isInteger(startBatch) && startBatch >= 0 && startBatch <= sampler.batches)) {
        throw new RangeError(`startBatch is ${startBatch}, but an epoch has ${sampler.batches} batches`)
      }
      return streamBatches({
        ...plan,
        ...batchesOf(sampler, epoch, startBatch, options),
        transform: { kind: 'multiCrop', groups, seed, epoch },
        samples,
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
 * All samples in order, prepared for evaluation; the last batch may be smaller. Workers of its own end with the
 * batches. Rejects with DecodeError at a bad image, unless it is to be left out.
 */
export async function* evalBatches(
  samples: readonly Sample[],
  options: ReadOptions & EvalTransform,
): AsyncGenerator<EvalBatch, void, void> {
  const { resize, crop, filter } = options
  const sampler = createSampler({ ...options, length: samples.length, shuffle: false, dropLast: false })
  const workers = options.pool ?? openWorkers(options)
  try {
    const stream = streamBatches({
      ...streamPlan(options, workers),
      ...batchesOf(sampler, 0, 0, { ...options, samples }),
      transform: { kind: 'eval', transform: { resize, crop, filter } },
      samples,
    })
    for await (const { crops, index, size, labels, indices, release } of stream) {
      yield { images: crops[0]!, index, size, labels, indices, release }
    }
  } finally {
    if (!options.pool) await workers.close()
  }
}

/** Images that are in the making: enough that a slow one does not hold up the workers that are ahead of it. */
const IN_THE_MAKING = 100

function streamPlan(options: ReadOptions, { pool }: Workers) {
  const { batchSize, bad = collectBadImages(), signal } = options
  const { prefetch = Math.max(2, Math.ceil(IN_THE_MAKING / batchSize)) } = options
  const memory: BatchMemory = new Map()
  return { pool, memory, prefetch: pool.workers === 0 ? 0 : prefetch, bad, signal }
}

/** What a plan says of the batches of one epoch. */
function batchesOf(
  sampler: Sampler,
  epoch: number,
  start: number,
  { samples, stream, signal }: Pick<LoaderOptions, 'samples' | 'stream' | 'signal'>,
): Pick<StreamPlan, 'epoch' | 'start' | 'batches' | 'indicesOf' | 'openReader'> {
  const order = sampler.order(epoch)
  const indicesOf = (index: number) => sampler.batch(order, index)
  return {
    epoch,
    start,
    batches: sampler.batches,
    indicesOf,
    openReader: stream && (() => openReader(stream)),
  }

  function openReader(from: SampleStream): SampleReader {
    const wanted: Sample[] = []
    for (let index = start; index < sampler.batches; index++)
      for (const sample of indicesOf(index)) wanted.push(samples[sample]!)
    return from.open(wanted, signal)
  }
}
