import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { TrexError } from '../../errors.js'
// Sharp has to be loaded by the main thread before a worker thread loads it; fillRows does.
import { type BadRow, createFillRows, type FillJob, type FillSettings } from './fillRows.js'
import { superviseWorker, type WorkerLimits } from './superviseWorker.js'

/** Threads that fill batches. */
export interface WorkerPool {
  readonly workers: number
  /** Fills all rows of a job; gives the rows of bad images, ascending. Rejects with TrexError if workers die for good. */
  fill(job: PoolJob): Promise<BadRow[]>
  /** Ends the threads once their jobs are done. */
  close(): Promise<void>
}

/** Starts `workers` threads; with 0 the calling thread does the work. Throws TrexError if they are not built. */
export function openWorkerPool(workers: number, settings: FillSettings, limits: WorkerLimits): WorkerPool {
  if (!(Number.isInteger(workers) && workers >= 0)) throw new RangeError(`workers is ${workers}`)
  let closed = false
  const pool = workers === 0 ? ownThread(settings) : threads(workers, settings, limits)
  return {
    workers,
    async fill(job) {
      if (closed) throw new TrexError('the data workers are closed')
      return pool.fill(job)
    },
    close() {
      closed = true
      return pool.close()
    },
  }
}

/** A job without what the pool decides. */
export type PoolJob = Omit<FillJob, 'readAhead'>

type Threads = Omit<WorkerPool, 'workers'>

function ownThread(settings: FillSettings): Threads {
  const fillRows = createFillRows(settings)
  return {
    fill: (job) => fillRows({ ...job, readAhead: false }),
    async close() {},
  }
}

function threads(count: number, settings: FillSettings, limits: WorkerLimits): Threads {
  const script = workerScript()
  const pool = Array.from({ length: count }, () => superviseWorker(script, settings, limits))
  // One worker keeps one core busy. Several read ahead as well: else cores idle while an image passes between threads.
  const readAhead = count > 1
  return {
    async fill(job) {
      // A cached image is of use to the worker that has it; otherwise the rows are dealt out evenly.
      const owner = (item: { row: number; index: number }) =>
        (settings.cacheBytes > 0 ? item.index : item.row) % count
      const parts = pool.map((worker, w) => {
        const items = job.items.filter((item) => owner(item) === w)
        return items.length > 0 ? worker.fill({ ...job, items, readAhead }) : []
      })
      return (await Promise.all(parts)).flat().sort((a, b) => a.row - b.row)
    },
    async close() {
      await Promise.all(pool.map((worker) => worker.close()))
    },
  }
}

/** The compiled worker; run from TypeScript sources, it is the one of the last build. */
function workerScript(): URL {
  const fromSource = import.meta.url.endsWith('.ts')
  const script = new URL(fromSource ? '../../../dist/data/loader/worker.js' : './worker.js', import.meta.url)
  if (!existsSync(script)) {
    throw new TrexError(`the data worker is not built: there is no ${fileURLToPath(script)}`, {
      hint: 'build it with: npx tsc -b packages/trex',
    })
  }
  return script
}
