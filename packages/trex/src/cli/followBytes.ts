import { type Progress, startProgress } from './progress.js'

const MB = 1e6

/** Shows how far a transfer is, in megabytes; what it gives in the end. */
export async function followBytes<T>(
  title: string,
  events: AsyncGenerator<{ readonly done: number; readonly total: number; readonly note: string }, T>,
): Promise<T> {
  let progress: Progress | undefined
  try {
    for (;;) {
      const { value, done } = await events.next()
      if (done) return value
      progress ??= startProgress(`${title} (MB)`, Math.ceil(value.total / MB), Math.floor(value.done / MB))
      progress.update(Math.floor(value.done / MB), value.note)
    }
  } finally {
    progress?.stop()
  }
}
