import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
const acts = new Set<() => void>()

/** Has `act` done when Ctrl-C or SIGTERM ends the program, the newest first; the result takes it back. */
export function onStop(act: () => void): () => void {
  if (acts.size === 0) for (const signal of SIGNALS) process.on(signal, stop)
  acts.add(act)
  return () => {
    acts.delete(act)
    if (acts.size === 0) for (const signal of SIGNALS) process.off(signal, stop)
  }
}

function stop(signal: (typeof SIGNALS)[number]): void {
  for (const act of [...acts].reverse()) act()
  process.exit(128 + constants.signals[signal])
}
