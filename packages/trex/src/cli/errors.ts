import { EngineError } from 'trex-torch'
import { printable } from '../data/check/printable.js'
import { DecodeError } from '../data/decode/decodeError.js'
import { TrexError } from '../errors.js'
import { Stopped } from './stop.js'

/** Prints what went wrong and what to do about it; the exit code. Stacks are for `--debug` and for bugs. */
export function reportError(error: unknown, debug: boolean): number {
  if (error instanceof Stopped) return error.exitCode // it has said so itself
  if (error instanceof TrexError) {
    console.error(`error: ${shown(error)}`)
    if (error.hint) console.error(`hint: ${shownLines(error.hint)}`)
  } else if (error instanceof EngineError) console.error(`error: ${error.message}`)
  else if (!(error instanceof Error)) console.error('error:', error)
  else if (!debug) {
    console.error(`error: ${error.message}`)
    console.error('hint: this may be a bug; --debug shows where it happened')
  }
  if (debug && error instanceof Error) console.error(error)
  return 1
}

/** A message without what would take over a terminal; only names of images hold newlines that are not meant. */
function shown(error: TrexError): string {
  if (error instanceof DecodeError) return printable(error.message)
  return shownLines(error.message)
}

const shownLines = (text: string) => text.split('\n').map(printable).join('\n')
