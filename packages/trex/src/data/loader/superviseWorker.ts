import { Worker } from 'node:worker_threads'
import { TrexError } from '../../errors.js'
import type { BadRow, FillJob, FillSettings } from './fillRows.js'
import {
  newProgress,
  PROGRESS,
  type WorkerReply,
  type WorkerRequest,
  type WorkerStart,
} from './workerProtocol.js'

/** How a worker runs, and when it counts as lost. */
export interface WorkerLimits {
  /** Seconds without progress on one image after which a worker is stopped. */
  readonly stallSeconds: number
  /** Node options of the worker, such as a module to load first. */
  readonly execArgv: readonly string[]
  /** See `WorkerOptions`. */
  readonly nice: number
}

/** One data worker that is started anew when it dies. */
export interface SupervisedWorker {
  /** Fills a job's rows, after the jobs before it; rejects with TrexError when that cannot be done. */
  fill(job: FillJob): Promise<BadRow[]>
  /** Ends the worker once its jobs are done. */
  close(): Promise<void>
}

/** How often a worker may die at one image, and how often before it has begun any. */
const MOST_DEATHS = 3
/** Seconds that a stopped worker has to end. */
const END_SECONDS = 10

/** Room for a worker's short-lived objects, which are few: by default V8 lets it grow to 48 MiB over many epochs. */
const YOUNG_MIB = 6

interface Pending {
  id: number
  job: FillJob
  resolve: (bad: BadRow[]) => void
  reject: (error: Error) => void
}

/**
 * Starts a worker and keeps it going: one that is killed, throws or makes no progress is replaced, and its jobs are
 * done again, which gives the same rows. The third death at one image, or before any image, is an error.
 */
export function superviseWorker(script: URL, settings: FillSettings, limits: WorkerLimits): SupervisedWorker {
  /** Jobs sent and not answered, in their order. */
  const pending: Pending[] = []
  const deaths = new Map<string, number>()
  let deathsAtStart = 0
  let nextId = 0
  let closing: Promise<void> | null = null
  let failure: TrexError | null = null
  let giveUp = () => {}
  const givenUp = new Promise<void>((resolve) => {
    giveUp = resolve
  })
  let current = start()

  function start() {
    const progress = newProgress()
    // No flags of this process: some, such as --input-type, are errors in a worker.
    const thread = new Worker(script, {
      workerData: { settings, progress, nice: limits.nice } satisfies WorkerStart,
      execArgv: [...limits.execArgv],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    })
    const send = (request: WorkerRequest) => thread.postMessage(request)
    let reason: string | null = null
    let ended = false
    const watch = watchProgress(progress, limits.stallSeconds, () => {
      reason ??= `it made no progress for ${limits.stallSeconds} s`
      endThread(thread, () => fail(new TrexError('a data worker does not end', { hint: END_HINT })))
    })
    thread.on('message', ({ id, bad }: WorkerReply) => finish(id, bad))
    thread.on('error', (error) => {
      reason ??= error instanceof Error ? error.message : String(error)
    })
    const exit = new Promise<void>((resolve) => {
      thread.on('exit', (code) => {
        watch.stop()
        resolve()
        ended = true
        if (!closing || pending.length > 0) replace(progress, reason ?? `it ended with code ${code}`)
      })
    })
    const hold = (busy: boolean) => {
      if (ended) return
      // A thread without work does not keep the process alive.
      busy ? thread.ref() : thread.unref()
      busy ? watch.start() : watch.stop()
    }
    hold(false)
    return { send, exit, hold }
  }

  function replace(progress: Int32Array, reason: string): void {
    const error = countDeath(progress, reason)
    if (error) {
      fail(error)
      return
    }
    current = start()
    // Without reading ahead, the next death is surely that of the image at hand.
    for (const { id, job } of pending) current.send({ id, job: { ...job, readAhead: false } })
    if (pending.length > 0) current.hold(true)
    if (closing) current.send('stop')
  }

  /** The error that a death is, if it is one too many. */
  function countDeath(progress: Int32Array, reason: string): TrexError | null {
    const job = pending.find(({ id }) => id === progress[PROGRESS.job])?.job
    const item = progress[PROGRESS.moves] === 0 ? undefined : job?.items[progress[PROGRESS.place]!]
    if (!item) return ++deathsAtStart < MOST_DEATHS ? null : deadAtStart(reason)
    const { path } = item.sample
    const count = (deaths.get(path) ?? 0) + 1
    deaths.set(path, count)
    return count < MOST_DEATHS ? null : deadAt(path, count, reason)
  }

  function fail(error: TrexError): void {
    failure ??= error
    for (const { reject } of pending.splice(0)) reject(failure)
    giveUp()
  }

  function finish(id: number, bad: BadRow[]): void {
    const at = pending.findIndex((job) => job.id === id)
    if (at < 0) return
    deathsAtStart = 0
    const [{ resolve }] = pending.splice(at, 1) as [Pending]
    if (pending.length === 0 && !closing) current.hold(false)
    resolve(bad)
  }

  /** Waits for the jobs, and for the worker, or those that took its place, to end. */
  async function endAll(): Promise<void> {
    if (failure) return
    current.hold(true)
    current.send('stop')
    for (let last: typeof current | undefined; last !== current; ) {
      last = current
      await Promise.race([last.exit, givenUp])
    }
  }

  return {
    fill(job) {
      if (failure) return Promise.reject(failure)
      const id = nextId++
      current.send({ id, job })
      return new Promise((resolve, reject) => {
        pending.push({ id, job, resolve, reject })
        current.hold(true)
      })
    },
    close() {
      closing ??= endAll()
      return closing
    },
  }
}

const END_HINT = 'it may be reading from a disk or server that does not answer'

function deadAt(path: string, count: number, reason: string): TrexError {
  return new TrexError(`${count} data workers died at ${path}: ${reason}`, {
    hint: 'remove or re-encode this image; if others fail as well, lower --workers, as memory may be short',
  })
}

function deadAtStart(reason: string): TrexError {
  const hint = 'lower --workers if memory is short; with --workers 0 the main thread does the work'
  return new TrexError(`the data workers end as soon as they start: ${reason}`, { hint })
}

/** Calls `onStall` when the progress has stood still for `seconds` of this process's own time, once. */
function watchProgress(progress: Int32Array, seconds: number, onStall: () => void) {
  let timer: NodeJS.Timeout | undefined
  let [last, ticks] = [-1, 0]
  const TICKS = 20
  const tick = () => {
    const moves = Atomics.load(progress, PROGRESS.moves)
    ticks = moves === last ? ticks + 1 : 0
    last = moves
    if (ticks < TICKS) return
    stop()
    onStall()
  }
  const stop = () => {
    clearInterval(timer)
    timer = undefined
    ticks = 0
  }
  return {
    start: () => {
      timer ??= setInterval(tick, (seconds * 1000) / TICKS).unref()
    },
    stop,
  }
}

/** Ends a thread at once; `onFailure` is called if it does not end. */
function endThread(thread: Worker, onFailure: () => void): void {
  const timer = setTimeout(() => {
    thread.unref()
    onFailure()
  }, END_SECONDS * 1000)
  thread.once('exit', () => clearTimeout(timer))
  void thread.terminate()
}
