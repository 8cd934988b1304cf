import { closeSync, fdatasyncSync, ftruncateSync, openSync, readdirSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { TrexError } from '../../errors.js'
import * as event from './event.js'
import { histogramOf } from './histogram.js'
import { tfRecord } from './record.js'

/**
 * A TensorBoard event file that is being written. Each record is in the file when its call returns, so that a process
 * that is killed loses none; a record that the disk refuses is a TrexError, and none of it stays in the file.
 */
export interface EventFile extends Disposable {
  readonly path: string
  /** One value of a curve. Wall time is seconds since 1970, now by default. */
  scalar(tag: string, step: number, value: number, wallTime?: number): void
  /** How values are distributed; those that are not finite are left out. */
  histogram(tag: string, step: number, values: Float32Array | Float64Array): void
  /** A text, shown as Markdown. */
  text(tag: string, step: number, text: string): void
  /** Has the disk keep what was written, even if the power goes. */
  flush(): void
  /** Flushes and closes; a second time does nothing. */
  close(): void
}

/**
 * Starts a new event file in a folder. What earlier files of the folder hold of `startStep` and later steps is dropped
 * by TensorBoard: a resumed run makes those steps again.
 * @throws TrexError naming the file when it cannot be written.
 */
export function openEventFile(dir: string, { startStep }: { startStep: number }): EventFile {
  const { path, file } = create(dir)
  let open = true
  let length = 0
  const now = () => Date.now() / 1000

  const append = (data: Uint8Array) => {
    if (!open) throw new TrexError(`${path} has been closed`)
    const record = tfRecord(data)
    try {
      for (let at = 0; at < record.length; )
        at += writeSync(file, record, at, record.length - at, length + at)
      length += record.length
    } catch (cause) {
      cut()
      throw writeError(path, cause)
    }
  }
  /** Takes a record back that is there in part: readers would stop at it. */
  const cut = () => {
    try {
      ftruncateSync(file, length)
    } catch {} // the file ends with a record cut short, which readers leave out
  }
  const attempt = (work: () => void) => {
    try {
      work()
    } catch (cause) {
      throw writeError(path, cause)
    }
  }
  const flush = () => {
    if (open) attempt(() => fdatasyncSync(file))
  }
  const close = () => {
    if (!open) return
    try {
      flush()
    } finally {
      open = false
      attempt(() => closeSync(file))
    }
  }

  try {
    append(event.fileVersion({ wallTime: now(), step: 0 }))
    // The first file needs its start too: TensorBoard takes only the second and later ones for restarts.
    append(event.sessionStart({ wallTime: now(), step: startStep }))
  } catch (error) {
    closeSync(file)
    throw error
  }
  return {
    path,
    scalar: (tag, step, value, wallTime = now()) => append(event.scalar({ wallTime, step }, tag, value)),
    histogram: (tag, step, values) =>
      append(event.histogram({ wallTime: now(), step }, tag, histogramOf(values))),
    text: (tag, step, text) => append(event.text({ wallTime: now(), step }, tag, text)),
    flush,
    close,
    [Symbol.dispose]: close,
  }
}

const EVENT_FILE = /^events\.out\.tfevents\.(\d{10})\./

/** Whether a file of a run folder is an event file of this program. */
export const isEventFile = (name: string): boolean => EVENT_FILE.test(name)

/**
 * Creates the file. TensorBoard reads the files of a folder in the order of their names, so the name's second is later
 * than that of every file before, whatever the clock says.
 */
function create(dir: string): { path: string; file: number } {
  let path = join(dir, 'events.out.tfevents')
  try {
    const seconds = readdirSync(dir).map((name) => Number(EVENT_FILE.exec(name)?.[1] ?? 0))
    const second = Math.max(Math.floor(Date.now() / 1000), ...seconds.map((last) => last + 1))
    path = join(dir, `events.out.tfevents.${second}.${hostname()}.${process.pid}.0`)
    return { path, file: openSync(path, 'wx') }
  } catch (cause) {
    throw writeError(path, cause)
  }
}

function writeError(path: string, cause: unknown): TrexError {
  return new TrexError(`${path} cannot be written: ${(cause as Error).message}`, {
    hint: 'free some space or make the folder writable, or set watch.tensorboard to false (with --set, or in RUN/config.yaml of a run to resume)',
    cause,
  })
}
