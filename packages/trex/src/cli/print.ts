import { TrexError } from '../errors.js'

/**
 * Treats errors of stdout that nobody else waits for, as those of help texts: they are told, and decide the exit code,
 * unless whoever reads the output has just stopped before its end, as `head` does. What cannot be said on stderr, as its
 * terminal is closed, is no reason to stop.
 */
export function watchOutput(): void {
  process.stderr.on('error', () => {})
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE' || process.stdout.listenerCount('error') > 1) return
    console.error(`error: the output cannot be written: ${message}`)
    process.exitCode = 1
  })
}

/**
 * Prints what a command was asked for to stdout, as far as somebody reads it. Rejects with TrexError when it cannot be
 * written.
 */
export async function print(text: string): Promise<void> {
  await printWhileRead(text)
}

/** As `print`, and tells whether somebody reads it. */
export function printWhileRead(text: string): Promise<boolean> {
  return new Promise((done, fail) => {
    // The stream tells of an error as an event as well, which nobody else listens to.
    const onError = (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EPIPE') return done(false)
      fail(
        new TrexError(`the output cannot be written: ${cause.message}`, { hint: 'free some space', cause }),
      )
    }
    process.stdout.once('error', onError)
    process.stdout.write(`${text}\n`, (error) => {
      if (error) return onError(error)
      process.stdout.off('error', onError)
      done(true)
    })
  })
}
