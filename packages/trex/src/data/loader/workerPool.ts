import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { TrexError } from '../../errors.js'
// Decodes here too: sharp has to be loaded by the main thread before a worker thread loads it.
import { DecodeError } from '../decode/decode.js'
import { createFillRows, type FillFailure, type FillJob, type FillSettings } from './fillRows.js'
import type { WorkerReply, WorkerRequest } from './worker.js'

/** Threads that fill batches. */
export interface WorkerPool {
  /** Fills all rows of a job; rejects with the error of the first bad row (DecodeError), or if a worker died. */
  fill(job: FillJob): Promise<void>
  /** Ends the threads once their jobs are done. */
  close(): Promise<void>
}

/** Starts `workers` threads; with 0 the calling thread does the work. Throws TrexError if they are not built. */
export function openWorkerPool(workers: number, settings: FillSettings): WorkerPool {
  return workers === 0 ? ownThread(settings) : threads(workers, settings)
}

function ownThread(settings: FillSettings): WorkerPool {
  const fillRows = createFillRows(settings)
  return {
    async fill(job) {
      const failure = await fillRows(job)
      if (failure) throw failure.error
    },
    async close() {},
  }
}

interface Pending {
  parts: number
  failure: FillFailure | null
  resolve: () => void
  reject: (error: Error) => void
}

function threads(count: number, settings: FillSettings): WorkerPool {
  const script = workerScript()
  const pending = new Map<number, Pending>()
  let nextId = 0
  /** Set once no job can be taken any more. */
  let ended: Error | null = null

  const pool = Array.from({ length: count }, () => {
    // No flags of this process: some, such as --input-type, are errors in a worker.
    const worker = new Worker(script, { workerData: settings, execArgv: [] })
    worker.on('message', ({ id, failure }: WorkerReply) => finishPart(id, failure))
    worker.on('error', (cause) => fail(new TrexError(`a data worker died: ${cause.message}`, { cause })))
    worker.on('exit', (code) => fail(new TrexError(`a data worker ended with code ${code}`)))
    const exit = new Promise<void>((resolve) => worker.on('exit', () => resolve()))
    return { worker, exit, send: (request: WorkerRequest) => worker.postMessage(request) }
  })
  holdProcess(false)

  /** Threads without work do not keep the process alive. */
  function holdProcess(hold: boolean): void {
    for (const { worker } of pool) hold ? worker.ref() : worker.unref()
  }

  function fail(error: Error): void {
    ended ??= error
    for (const { reject } of pending.values()) reject(ended)
    pending.clear()
  }

  function finishPart(id: number, failure: FillFailure | null): void {
    const job = pending.get(id)
    if (!job) return
    if (failure && (!job.failure || failure.row < job.failure.row)) job.failure = failure
    if (--job.parts > 0) return
    pending.delete(id)
    if (pending.size === 0 && !ended) holdProcess(false)
    if (job.failure) job.reject(reviveError(job.failure))
    else job.resolve()
  }

  return {
    fill(job) {
      if (ended) return Promise.reject(ended)
      const id = nextId++
      // A cached image is of use to the worker that has it; otherwise the rows are dealt out evenly.
      const owner = (item: { row: number; sample: number }) =>
        (settings.cacheBytes > 0 ? item.sample : item.row) % count
      const parts = pool
        .map(({ send }, w) => ({ send, items: job.items.filter((item) => owner(item) === w) }))
        .filter(({ items }) => items.length > 0)
      if (parts.length === 0) return Promise.resolve()
      holdProcess(true)
      return new Promise((resolve, reject) => {
        pending.set(id, { parts: parts.length, failure: null, resolve, reject })
        for (const { send, items } of parts) send({ id, job: { ...job, items } })
      })
    },
    async close() {
      ended ??= new TrexError('the data workers are closed')
      holdProcess(true)
      for (const { send } of pool) send('stop')
      await Promise.all(pool.map(({ exit }) => exit))
    },
  }
}

function reviveError({ error, path, hint }: FillFailure): Error {
  if (path === undefined) return new TrexError(`a data worker failed: ${error.message}`, { cause: error })
  return new DecodeError(path, error.message, { cause: error, ...(hint === undefined ? {} : { hint }) })
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
