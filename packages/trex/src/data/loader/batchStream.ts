import type { Sample } from '../sources/sample.js'
import { type CropShape, cropShapes, type Transform } from './fillRows.js'
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
  signal?: AbortSignal | undefined
}

/** Batch buffers in use again and again. */
export type BatchMemory = Map<number, SharedArrayBuffer[]>

/**
 * Batches in order, `prefetch` of them in the making; empty ones are left out. Rejects with the error of the first
 * bad image in batch order, or the signal's reason; however it ends, no work is left behind.
 */
export async function* streamBatches(plan: StreamPlan): AsyncGenerator<Batch, void, void> {
  const { signal, prefetch, batches } = plan
  const cancelled = new Int32Array(new SharedArrayBuffer(4))
  const inFlight: Promise<Batch>[] = []
  let next = plan.start
  try {
    while (true) {
      signal?.throwIfAborted()
      while (next < batches && inFlight.length <= prefetch) {
        const batch = makeBatch(plan, next++, cancelled)
        batch.catch(() => {}) // it is awaited in its turn
        inFlight.push(batch)
      }
      if (inFlight.length === 0) return
      const batch = await orAbort(inFlight[0]!, signal)
      inFlight.shift()
      if (batch.size > 0) yield batch
    }
  } finally {
    Atomics.store(cancelled, 0, 1)
    await Promise.allSettled(inFlight)
  }
}

async function makeBatch(plan: StreamPlan, index: number, cancelled: Int32Array): Promise<Batch> {
  const { pool, memory, samples, epoch, transform } = plan
  const indices = plan.indicesOf(index)
  const size = indices.length
  const lengths = cropShapes(transform).map((shape) => size * valuesOf(shape))
  const buffers = lengths.map((length) => memory.get(length)?.pop() ?? new SharedArrayBuffer(length * 4))
  const items = Array.from(indices, (sample, row) => ({ row, sample, path: samples[sample]!.path }))
  await pool.fill({ epoch, size, buffers, items, cancelled })
  let released = false
  return {
    epoch,
    index,
    size,
    crops: buffers.map((buffer) => new Float32Array(buffer)),
    labels: BigInt64Array.from(indices, (sample) => BigInt(samples[sample]!.label)),
    indices,
    release() {
      if (released) return
      released = true
      for (const [g, length] of lengths.entries()) {
        const free = memory.get(length)
        if (free) free.push(buffers[g]!)
        else memory.set(length, [buffers[g]!])
      }
    },
  }
}

const valuesOf = ({ count, size }: CropShape) => count * 3 * size * size

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
