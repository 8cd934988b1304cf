import { EngineError } from 'trex-torch'
import { TrexError } from '../errors.js'

/** Prints what went wrong and what to do about it; the exit code. Stacks are for `--debug` and for bugs. */
export function reportError(error: unknown, debug: boolean): number {
  if (error instanceof TrexError) {
    console.error(`error: ${error.message}`)
    if (error.hint) console.error(`hint: ${error.hint}`)
  } else if (error instanceof EngineError) console.error(`error: ${error.message}`)
  else if (!(error instanceof Error)) console.error('error:', error)
  else if (!debug) {
    console.error(`error: ${error.message}`)
    console.error('hint: this may be a bug; --debug shows where it happened')
  }
  if (debug && error instanceof Error) console.error(error)
  return 1
}
