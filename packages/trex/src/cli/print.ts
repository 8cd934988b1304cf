import { TrexError } from '../errors.js'

/** Prints what a command was asked for to stdout. Rejects with TrexError when it cannot be written. */
export function print(text: string): Promise<void> {
  return new Promise((done, fail) => {
    // The stream tells of an error as an event as well, which nobody else listens to.
    const onError = (cause: Error) =>
      fail(
        new TrexError(`the output cannot be written: ${cause.message}`, { hint: 'free some space', cause }),
      )
    process.stdout.once('error', onError)
    process.stdout.write(`${text}\n`, (error) => {
      if (error) return onError(error)
      process.stdout.off('error', onError)
      done()
    })
  })
}
