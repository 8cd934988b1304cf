import { TrexError } from '../../errors.js'
import type { EvalTransform } from '../pixels/evalTransform.js'
import type { CropGroup } from '../pixels/multiCrop.js'
import type { CropArray } from '../pixels/normalize.js'
import type { Sample, SampleReader, SampleStream } from '../sources/sample.js'
import { type BadImages, collectBadImages } from './badImages.js'
import { type Batch, type StreamOptions, streamBatches } from './batchStream.js'
import { type BatchPlan, type BatchWork, openBatchWork } from './batchWork.js'
import { createSampler, type Sampler } from './sampler.js'
import { openWorkers, type WorkerOptions, type Workers } from './workers.js'

export type { Batch } from './batchStream.js'

/** Options of every loader. */
export interface ReadOptions extends WorkerOptions {
  /** Images a step and rank. */
  batchSize: number
  /** Threads of `openWorkers` to use, with all that they were told, which stay open; else the loader has its own. */
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
  /**
   * Epochs that are read one after the other: at the end of one the batches of the next are begun, so that there is no
   * waiting for its first; not of shards on servers, which would be read twice as far ahead. Default 0: nothing is begun
   * ahead of its epoch.
   */
  epochs?: number
}

/** Training batches, epoch by epoch. */
export interface Loader {
  /** Batches an epoch. */
  readonly batches: number
  /** The batches of an epoch from `startBatch` on, whatever was read before; throws RangeError past the epoch's end. */
  epoch(epoch: number, startBatch?: number): AsyncGenerator<Batch, void, void>
  /** Ends what was begun, and the workers. */
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
  const { samples, groups, seed = 0, stream, epochs = 0 } = options
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
  const streaming = streamOptions(options, workers)
  let ahead: BatchWork | undefined // of the epoch after the one that is read
  const workOf = (epoch: number, startBatch: number) =>
    openBatchWork({
      ...batchesOf(sampler, epoch, startBatch, options),
      ...{ workers, samples, transform: { kind: 'multiCrop', groups, seed, epoch } },
    })
  async function* read(epoch: number, startBatch: number) {
    const early = ahead
    ahead = undefined
    const fits = early?.plan.epoch === epoch && startBatch === 0
    if (!fits) await early?.close()
    const next = () => {
      if (epoch + 1 < epochs && !stream) ahead ??= workOf(epoch + 1, 0)
      return ahead
    }
    yield* streamBatches(early && fits ? early : workOf(epoch, startBatch), { ...streaming, next })
  }
  const close = async () => {
    await ahead?.close()
    if (!options.pool) await workers.close()
  }
  return {
    batches: sampler.batches,
    epoch(epoch, startBatch = 0) {
      if (!(Number.isInteger(startBatch) && startBatch >= 0 && startBatch <= sampler.batches)) {
        throw new RangeError(`startBatch is ${startBatch}, but an epoch has ${sampler.batches} batches`)
      }
      return read(epoch, startBatch)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** One batch of evaluation images. */
export interface EvalBatch extends Omit<Batch, 'crops' | 'epoch'> {
  /** [B, 3, S, S] normalised values, or [B, S, S, 3] bytes, in a SharedArrayBuffer. */
  images: CropArray
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
    const work = openBatchWork({
      ...batchesOf(sampler, 0, 0, { ...options, samples }),
      ...{ workers, samples, transform: { kind: 'eval', transform: { resize, crop, filter } } },
    })
    const batches = streamBatches(work, streamOptions(options, workers))
    for await (const { crops, epoch: _, ...batch } of batches) yield { ...batch, images: crops[0]! }
  } finally {
    if (!options.pool) await workers.close()
  }
}

/** Images that are in the making: enough that a slow one does not hold up the workers that are ahead of it. */
const IN_THE_MAKING = 100

function streamOptions(options: ReadOptions, { pool }: Workers): Omit<StreamOptions, 'next'> {
  const { batchSize, bad = collectBadImages(), signal } = options
  const { prefetch = Math.max(2, Math.ceil(IN_THE_MAKING / batchSize)) } = options
  return { prefetch: pool.workers === 0 ? 0 : prefetch, bad, signal }
}

/** What a plan says of the batches of one epoch. */
function batchesOf(
  sampler: Sampler,
  epoch: number,
  start: number,
  { samples, stream, signal, bad }: Pick<LoaderOptions, 'samples' | 'stream' | 'signal' | 'bad'>,
): Omit<BatchPlan, 'workers' | 'samples' | 'transform'> {
  const order = sampler.order(epoch)
  const indicesOf = (index: number) => sampler.batch(order, index)
  return {
    epoch,
    start,
    batches: sampler.batches,
    indicesOf,
    skipBad: bad?.onBad === 'skip',
    openReader: stream && (() => openReader(stream)),
  }

  function openReader(from: SampleStream): SampleReader {
    const wanted: Sample[] = []
    for (let index = start; index < sampler.batches; index++)
      for (const sample of indicesOf(index)) wanted.push(samples[sample]!)
    return from.open(wanted, signal)
  }
}
