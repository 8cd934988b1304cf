import { DecodeError } from '../decode/decode.js'
import type { CropArray, Normalization } from '../pixels/normalize.js'
import type { BadImages } from './badImages.js'
import { compactRows } from './batchMemory.js'
import type { BatchPlan, BatchWork, Filled } from './batchWork.js'

/** One batch of images, ready for the encoder. */
export interface Batch {
  epoch: number
  /** Place in the epoch, from 0. */
  index: number
  /** Number of images, B. */
  size: number
  /**
   * One array a crop group: [count * B, 3, S, S] normalised values, or where the loader's `pixels` are `uint8`
   * [count * B, S, S, 3] bytes; crop-major (all images of crop 0, then of crop 1, ...), in a SharedArrayBuffer.
   */
  crops: CropArray[]
  /** What values are normalised by, and bytes are to be. */
  normalization: Normalization
  /** [B] */
  labels: BigInt64Array
  /** [B] the images' places in the list of samples. */
  indices: Uint32Array
  /** Gives the memory of `crops` back for a later batch: neither they nor tensors that share it may be used then. */
  release(): void
}

/** How the batches of an epoch are given. */
export interface StreamOptions {
  /** Batches prepared while the caller works on one. */
  readonly prefetch: number
  readonly bad: BadImages
  readonly signal?: AbortSignal | undefined
  /** The batches that come after these: they are begun where `prefetch` leaves room, and stay open. */
  readonly next?: (() => BatchWork | undefined) | undefined
}

/**
 * Batches in order, `prefetch` of them in the making. A bad image ends them with its error in batch order, or is left
 * out of its batch; empty batches are left out. Rejects with the signal's reason when it is aborted; however it ends,
 * no work is left behind.
 */
export async function* streamBatches(
  work: BatchWork,
  { prefetch, bad, signal, next }: StreamOptions,
): AsyncGenerator<Batch, void, void> {
  const { begun } = work
  try {
    while (true) {
      signal?.throwIfAborted()
      while (begun.length <= prefetch && work.begin());
      if (begun.length === 0) return
      beginNext(next, prefetch - begun.length)
      const filled = await orAbort(begun[0]!, signal)
      begun.shift()
      const batch = finishBatch(work.plan, filled, bad)
      if (batch.size > 0) yield batch
    }
  } finally {
    await work.close()
  }
}

/** Begins following batches until there are `room` of them. */
function beginNext(next: StreamOptions['next'], room: number): void {
  if (room < 0) return
  const following = next?.()
  while (following && following.begun.length <= room && following.begin());
}

/** Applies the policy to the bad rows and leaves them out. */
function finishBatch({ workers, samples, epoch }: BatchPlan, filled: Filled, policy: BadImages): Batch {
  for (const { path, message, hint } of filled.bad)
    policy.add(new DecodeError(path, message, hint === undefined ? {} : { hint }))
  const left = new Set(filled.bad.map(({ row }) => row))
  const indices = left.size === 0 ? filled.indices : filled.indices.filter((_, row) => !left.has(row))
  return {
    epoch,
    index: filled.index,
    size: indices.length,
    crops: compactRows(filled.buffers, left),
    normalization: workers.normalization,
    labels: BigInt64Array.from(indices, (sample) => BigInt(samples[sample]!.label)),
    indices,
    release: filled.buffers.release,
  }
}

/** A promise's value, or the signal's reason if that comes first. */
async function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
  })
  signal.addEventListener('abort', onAbort)
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
