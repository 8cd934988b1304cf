import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const
type Signal = (typeof SIGNALS)[number]

const acts = new Set<() => void>()
let gentle: ((signal: Signal) => void) | null = null

/** Has `act` done when a signal ends the program at once, the newest first; the result takes it back. */
export function onStop(act: () => void): () => void {
  acts.add(act)
  listen()
  return () => {
    acts.delete(act)
    listen()
  }
}

/** A signal has asked the program to stop, and it has done so in good order. */
export class Stopped extends Error {
  /** @param resumable whether what was done is kept */
  constructor(
    readonly by: Signal,
    readonly resumable = true,
  ) {
    super(`stopped by ${by}`)
  }

  /** REQUEUE where it makes sense, but not after Ctrl-C. */
  get exitCode(): number {
    return this.resumable && this.by !== 'SIGINT' ? REQUEUE : exitCodeOf(this.by)
  }
}

/** The exit code (EX_TEMPFAIL) that asks whoever started the program to start it again. */
export const REQUEUE = 75

/** From here on the first signal aborts the result's `signal` with Stopped, and the second ends the program at once. */
export function stopGently(): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController()
  gentle = (signal) => controller.abort(new Stopped(signal))
  listen()
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      gentle = null
      listen()
    },
  }
}

let listening = false

/** Listens while there is something to do; a signal has its usual effect otherwise. */
function listen(): void {
  const wanted = acts.size > 0 || gentle !== null
  if (wanted === listening) return
  listening = wanted
  for (const signal of SIGNALS) wanted ? process.on(signal, stop) : process.off(signal, stop)
}

function stop(signal: Signal): void {
  if (gentle) {
    const ask = gentle
    gentle = null
    ask(signal)
    return
  }
  for (const act of [...acts].reverse()) act()
  process.exit(exitCodeOf(signal))
}

const exitCodeOf = (signal: Signal): number => 128 + constants.signals[signal]
