import { DecodeError } from '../decode/decode.js'
import type { Sample, SampleReader } from '../sources/sample.js'
import type { BadImages } from './badImages.js'
import { type BatchBuffers, type BatchMemory, compactRows, takeBuffers } from './batchMemory.js'
import { type BadRow, cropShapes, type Transform } from './fillRows.js'
import type { WorkerPool } from './workerPool.js'

/** One batch of images, ready for the encoder. */
export interface Batch {
  epoch: number
  /** Place in the epoch, from 0. */
  index: number
  /** Number of images, B. */
  size: number
  /**
   * One array a crop group: [count * B, 3, S, S] normalised values, crop-major (all images of crop 0, then of
   * crop 1, ...), in a SharedArrayBuffer.
   */
  crops: Float32Array[]
  /** [B] */
  labels: BigInt64Array
  /** [B] the images' places in the list of samples. */
  indices: Uint32Array
  /** Gives the memory of `crops` back for a later batch: neither they nor tensors that share it may be used then. */
  release(): void
}

/** What a stream of batches is made from. */
export interface StreamPlan {
  pool: WorkerPool
  memory: BatchMemory
  transform: Transform
  samples: readonly Sample[]
  epoch: number
  /** First batch to give, and the number of batches of the epoch. */
  start: number
  batches: number
  /** Sample numbers of a batch. */
  indicesOf(index: number): Uint32Array
  /** Batches prepared while the caller works on one. */
  prefetch: number
  bad: BadImages
  /** Begins to bring the bytes of the samples from batch `start` on, in order; for samples on a server. */
  openReader?: (() => SampleReader) | undefined
  signal?: AbortSignal | undefined
}

/** A batch in the making, with the rows that could not be filled. */
interface Filled {
  index: number
  indices: Uint32Array
  buffers: BatchBuffers
  bad: BadRow[]
}

/**
 * Batches in order, `prefetch` of them in the making. A bad image ends them with its error in batch order, or is left
 * out of its batch; empty batches are left out. Rejects with the signal's reason when it is aborted; however it ends,
 * no work is left behind.
 */
export async function* streamBatches(plan: StreamPlan): AsyncGenerator<Batch, void, void> {
  const { signal, prefetch, batches } = plan
  const cancelled = new Int32Array(new SharedArrayBuffer(4))
  const inFlight: Promise<Filled>[] = []
  let next = plan.start
  let place = 0
  let reader: SampleReader | undefined
  try {
    reader = plan.openReader?.()
    while (true) {
      signal?.throwIfAborted()
      while (next < batches && inFlight.length <= prefetch) {
        const indices = plan.indicesOf(next)
        const batch = fillBatch(plan, reader, next++, indices, place, cancelled)
        place += indices.length
        batch.catch(() => {}) // it is awaited in its turn
        inFlight.push(batch)
      }
      if (inFlight.length === 0) return
      const filled = await orAbort(inFlight[0]!, signal)
      inFlight.shift()
      const batch = finishBatch(plan, filled)
      if (batch.size > 0) yield batch
    }
  } finally {
    Atomics.store(cancelled, 0, 1)
    await reader?.close()
    await Promise.allSettled(inFlight)
  }
}

async function fillBatch(
  { pool, memory, samples, transform, bad }: StreamPlan,
  reader: SampleReader | undefined,
  index: number,
  indices: Uint32Array,
  place: number,
  cancelled: Int32Array,
): Promise<Filled> {
  const buffers = takeBuffers(memory, cropShapes(transform), indices.length)
  const items = await Promise.all(
    Array.from(indices, async (sampleIndex, row) => {
      const item = { row, index: sampleIndex, sample: samples[sampleIndex]! }
      return reader && !item.sample.problem ? { ...item, bytes: await reader.bytes(place + row) } : item
    }),
  )
  const skipBad = bad.onBad === 'skip'
  const job = { transform, size: indices.length, buffers: buffers.shared, items, skipBad, cancelled }
  return { index, indices, buffers, bad: await pool.fill(job) }
}

/** Applies the policy to the bad rows and leaves them out. */
function finishBatch({ samples, epoch, bad: policy }: StreamPlan, filled: Filled): Batch {
  for (const { path, message, hint } of filled.bad)
    policy.add(new DecodeError(path, message, hint === undefined ? {} : { hint }))
  const left = new Set(filled.bad.map(({ row }) => row))
  const indices = left.size === 0 ? filled.indices : filled.indices.filter((_, row) => !left.has(row))
  return {
    epoch,
    index: filled.index,
    size: indices.length,
    crops: compactRows(filled.buffers, left),
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
