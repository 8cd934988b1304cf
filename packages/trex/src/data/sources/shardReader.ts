import { TrexError } from '../../errors.js'
import { readBytes } from './httpBytes.js'
import type { RemoteFile } from './httpFile.js'
import type { HttpPolicy } from './httpRetry.js'
import type { Sample, SampleReader } from './sample.js'

/** A sample to read. */
export interface Wish {
  /** Its place in the caller's list. */
  readonly place: number
  readonly file: RemoteFile
  readonly offset: number
  /** Bytes. */
  readonly length: number
}

/** What is read, in which order, and how far ahead. */
export interface ShardReaderOptions {
  /** In the order of reading: each shard's one after the other, by offset. */
  readonly wishes: readonly Wish[]
  readonly samples: readonly Sample[]
  /** Samples held at most, but for those that are waited for. */
  readonly window: number
  readonly policy: HttpPolicy
  readonly signal?: AbortSignal | undefined
}

/** Bytes between two wishes that are read and dropped; where more lie between them, a new request is sent. */
const SKIPPED_BYTES = 2 ** 20
/** Bytes held at most, but for what is waited for. */
const WINDOW_BYTES = 2 ** 29

interface Waiting {
  resolve(bytes: Uint8Array): void
  reject(error: unknown): void
}

/** Begins to read at once; pauses while the window is full and nobody waits for what is still to come. */
export function openShardReader(options: ShardReaderOptions): SampleReader {
  const { wishes, samples, window, policy } = options
  const closed = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, closed.signal]) : closed.signal
  const ready = new Map<number, Uint8Array>()
  const waiting = new Map<number, Waiting>()
  const asked = new Uint8Array(samples.length)
  let heldBytes = 0
  let failure: { error: unknown } | null = null
  let wake = () => {}

  const isFull = () => waiting.size === 0 && (ready.size >= window || heldBytes >= WINDOW_BYTES)

  async function room(): Promise<void> {
    while (isFull() && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve))
    signal.throwIfAborted()
  }

  function give(place: number, bytes: Uint8Array): void {
    const waiter = waiting.get(place)
    waiting.delete(place)
    if (waiter) waiter.resolve(bytes)
    else {
      ready.set(place, bytes)
      heldBytes += bytes.length
    }
  }

  async function readAll(): Promise<void> {
    for (let first = 0; first < wishes.length; ) {
      await room()
      const last = endOfRun(wishes, first)
      await readRun(wishes.slice(first, last))
      first = last
    }
  }

  /** One request; `run` lies in one file, by offset. */
  async function readRun(run: readonly Wish[]): Promise<void> {
    const { file, offset: start } = run[0]!
    const end = run.reduce((most, { offset, length }) => Math.max(most, offset + length), start)
    let next = 0
    let at = start
    let current = new Uint8Array(run[0]!.length)
    const finish = async () => {
      const { place, offset } = run[next]!
      give(place, current)
      next++
      const again = run[next]
      if (again === undefined) return
      // A sample that is wanted twice is read once.
      current = again.offset === offset ? current.slice() : new Uint8Array(again.length)
      if (again.offset === offset) await finish()
    }
    for await (const chunk of readBytes(file, { start, end, policy, signal })) {
      while (next < run.length) {
        const { offset, length } = run[next]!
        const from = Math.max(offset, at)
        const to = Math.min(offset + length, at + chunk.length)
        if (to > from) current.set(chunk.subarray(from - at, to - at), from - offset)
        if (offset + length > at + chunk.length) break
        await finish()
        await room()
      }
      at += chunk.length
    }
    while (next < run.length) await finish() // of no bytes, at the end
  }

  const onAbort = () => wake()
  signal.addEventListener('abort', onAbort)
  const reading = readAll()
    .catch((error: unknown) => {
      failure = { error: signal.aborted ? signal.reason : error }
      for (const { reject } of waiting.values()) reject(failure.error)
      waiting.clear()
    })
    .finally(() => signal.removeEventListener('abort', onAbort))

  return {
    bytes(place) {
      const sample = samples[place]
      if (sample === undefined)
        return Promise.reject(new RangeError(`place ${place} of ${samples.length} samples`))
      if (sample.problem) {
        const { message, hint } = sample.problem
        return Promise.reject(new TrexError(message, hint === undefined ? {} : { hint }))
      }
      if (asked[place]) return Promise.reject(new RangeError(`the bytes of ${sample.path} were given before`))
      const here = ready.get(place)
      if (!here && (failure || signal.aborted)) return Promise.reject(failure ? failure.error : signal.reason)
      asked[place] = 1
      if (here) {
        ready.delete(place)
        heldBytes -= here.length
        wake()
        return Promise.resolve(here)
      }
      return new Promise((resolve, reject) => {
        waiting.set(place, { resolve, reject })
        wake()
      })
    },
    async close() {
      closed.abort(new TrexError('the reader of the shards is closed'))
      await reading
      ready.clear()
    },
  }
}

/** The wishes that one request serves: those of a file that lie near each other. */
function endOfRun(wishes: readonly Wish[], first: number): number {
  let end = wishes[first]!.offset + wishes[first]!.length
  let last = first + 1
  for (; last < wishes.length; last++) {
    const { file, offset, length } = wishes[last]!
    if (file !== wishes[first]!.file || offset < wishes[last - 1]!.offset || offset - end > SKIPPED_BYTES)
      break
    end = Math.max(end, offset + length)
  }
  return last
}
