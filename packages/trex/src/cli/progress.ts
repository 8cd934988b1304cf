import { type Bar, Presets, SingleBar } from 'cli-progress'
import { duration } from '../report/duration.js'
import { onStop } from './stop.js'

/** Shows how far long work is: a bar on a terminal, a plain line now and then elsewhere. */
export interface Progress {
  update(done: number, note: string): void
  /** Columns that are there for the note. */
  readonly columns: number
  /** Prints a line of its own, above the bar. */
  line(text: string): void
  stop(): void
}

const LINE_EVERY_MS = 10_000

/** Starts showing progress towards `total` on stderr, after `done` of it. */
export function startProgress(title: string, total: number, done = 0): Progress {
  return process.stderr.isTTY ? bar(title, total, done) : lines(title, total, done)
}

function bar(title: string, total: number, done: number): Progress {
  const { columns = 80 } = process.stderr
  const barsize = Math.max(5, Math.min(40, columns - 118)) // the note comes first
  const counts = title.length + 2 * String(total).length + ' / ·  · ETA 00h00m '.length
  const format = `${title} {bar} {value}/{total} · {note} · ETA {eta_formatted}`
  const shown = new SingleBar(
    {
      format,
      barsize,
      stream: process.stderr,
      hideCursor: true,
      etaBuffer: 50,
      clearOnComplete: true,
      fps: 5,
    },
    Presets.shades_classic,
  ) as SingleBar & Bar
  shown.start(total, done, { note: '' })
  const release = onStop(() => shown.stop()) // else the cursor would stay hidden
  return {
    columns: columns - barsize - counts,
    update: (value, note) => shown.update(value, { note }),
    line: (text) => {
      process.stderr.write(`\r\x1b[K${text}\n`)
      shown.render()
    },
    stop() {
      release()
      shown.stop()
    },
  }
}

function lines(title: string, total: number, done: number): Progress {
  const began = performance.now()
  let shown = began
  return {
    columns: Infinity,
    update(value, note) {
      const now = performance.now()
      if (now - shown < LINE_EVERY_MS && value < total) return
      shown = now
      const left = ((now - began) / Math.max(1, value - done)) * (total - value)
      console.error(`${title} ${value}/${total} · ${note} · ETA ${duration(left / 1000)}`)
    },
    line: (text) => console.error(text),
    stop() {},
  }
}
