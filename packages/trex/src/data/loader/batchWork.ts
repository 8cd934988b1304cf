import type { Sample, SampleReader } from '../sources/sample.js'
import { type BatchBuffers, takeBuffers } from './batchMemory.js'
import { type BadRow, cropShapes, type Transform } from './fillRows.js'
import type { Workers } from './workers.js'

/** What the batches of an epoch are made from. */
export interface BatchPlan {
  readonly workers: Workers
  readonly transform: Transform
  readonly samples: readonly Sample[]
  readonly epoch: number
  /** First batch to give, and the number of batches of the epoch. */
  readonly start: number
  readonly batches: number
  /** Sample numbers of a batch. */
  indicesOf(index: number): Uint32Array
  /** Leave out bad images, rather than end at the first. */
  readonly skipBad: boolean
  /** Begins to bring the bytes of the samples from batch `start` on, in order; for samples on a server. */
  readonly openReader?: (() => SampleReader) | undefined
}

/** A batch in the making, with the rows that could not be filled. */
export interface Filled {
  readonly index: number
  readonly indices: Uint32Array
  readonly buffers: BatchBuffers
  readonly bad: readonly BadRow[]
}

/** The batches of an epoch in the making. */
export interface BatchWork {
  readonly plan: BatchPlan
  /** The batches that were begun, oldest first; who takes one away has awaited it. */
  readonly begun: Promise<Filled>[]
  /** Begins the next batch; false when all of the epoch were begun. */
  begin(): boolean
  /** Ends what was begun; nothing of it goes on then. */
  close(): Promise<void>
}

/** Work on the batches of an epoch, none of them begun. */
export function openBatchWork(plan: BatchPlan): BatchWork {
  const reader = plan.openReader?.()
  const cancelled = new Int32Array(new SharedArrayBuffer(4))
  const begun: Promise<Filled>[] = []
  let next = plan.start
  let place = 0
  return {
    plan,
    begun,
    begin() {
      if (next >= plan.batches) return false
      const indices = plan.indicesOf(next)
      const batch = fillBatch(plan, { reader, cancelled, index: next++, indices, place })
      place += indices.length
      batch.catch(() => {}) // it is awaited in its turn
      begun.push(batch)
      return true
    },
    async close() {
      Atomics.store(cancelled, 0, 1)
      await reader?.close()
      await Promise.allSettled(begun)
    },
  }
}

async function fillBatch(
  { workers: { pool, pixels, memory }, samples, transform, skipBad }: BatchPlan,
  { reader, cancelled, index, indices, place }: Job,
): Promise<Filled> {
  const buffers = takeBuffers(memory, pixels, cropShapes(transform), indices.length)
  const items = await Promise.all(
    Array.from(indices, async (sampleIndex, row) => {
      const item = { row, index: sampleIndex, sample: samples[sampleIndex]! }
      return reader && !item.sample.problem ? { ...item, bytes: await reader.bytes(place + row) } : item
    }),
  )
  const job = { transform, size: indices.length, targets: buffers.arrays, items, skipBad, cancelled }
  return { index, indices, buffers, bad: await pool.fill(job) }
}

interface Job {
  readonly reader: SampleReader | undefined
  readonly cancelled: Int32Array
  readonly index: number
  readonly indices: Uint32Array
  /** The place of its first sample among those that the reader brings. */
  readonly place: number
}
