import { cat, keep, stack, type Tensor, tidy } from 'trex-torch'
import type { StepResult } from './step.js'

/** What is known of a step without asking the device. */
export interface StepFacts {
  readonly epoch: number
  readonly step: number
  readonly lr: number
  readonly images: number
}

/** What a step gave, on the host. */
export interface StepFigures extends StepFacts {
  /** Nats. */
  readonly loss: number
  /** Crops, and how many of them are nearest to their own class. */
  readonly crops: number
  readonly hits: number
  /** Mean over the steps that were read together; so is the waiting. */
  readonly seconds: number
  readonly waited: number
  /** How far the prototypes moved, where it was measured. */
  readonly drift?: number
}

/** What a step gave, on the device. */
export interface MeasuredStep extends StepResult {
  /** How far the prototypes moved [], where it was measured. */
  readonly drift?: Tensor | undefined
}

/**
 * Gathers what steps give and leaves it on the device until it is read, all at once: reading waits for the device.
 * From `wait` to `begin` is waiting for images, from `begin` to the next `wait` or `read` is work; what comes between
 * (validation, checkpoints, the caller's own business) is not counted. On a GPU, which works while the host waits, only
 * the sum of both is exact.
 */
export interface Meter extends Disposable {
  /** Steps that were not read yet. */
  readonly pending: number
  wait(): void
  begin(): void
  add(facts: StepFacts, result: MeasuredStep): void
  read(): StepFigures[]
}

/** A meter whose clock stands still. */
export function openMeter(): Meter {
  const steps: (StepFacts & { crops: number; values: Tensor })[] = [] // values: [loss, hits] or [loss, hits, drift]
  const spent = { nothing: 0, waiting: 0, work: 0 } // milliseconds since the last read
  let doing: keyof typeof spent = 'nothing'
  let since = performance.now()
  const turnTo = (next: typeof doing) => {
    const now = performance.now()
    spent[doing] += now - since
    since = now
    doing = next
  }
  const clear = () => {
    for (const { values } of steps.splice(0)) values.dispose()
  }
  return {
    get pending() {
      return steps.length
    },
    wait: () => turnTo('waiting'),
    begin: () => turnTo('work'),
    add(facts, { loss, logits, targets, drift }) {
      const values = tidy(() => {
        const hits = logits.argmax(1).eq(targets).sum().to(loss.dtype) // []
        return stack([loss, hits, ...(drift ? [drift.to(loss.dtype)] : [])])
      })
      steps.push({ ...facts, crops: targets.size(0), values: keep(values) })
    },
    read() {
      const read = steps.length > 0 ? tidy(() => cat(steps.map(({ values }) => values)).toTypedArray()) : []
      turnTo('nothing')
      if (steps.length === 0) return []
      const seconds = (spent.waiting + spent.work) / 1000 / steps.length
      const waited = spent.waiting / 1000 / steps.length
      let at = 0
      const figures = steps.map(({ values, ...facts }): StepFigures => {
        const [loss, hits, drift] = Array.from(read.slice(at, (at += values.size(0))), Number)
        const measured = drift === undefined ? {} : { drift }
        return { ...facts, seconds, waited, loss: loss!, hits: hits!, ...measured }
      })
      clear()
      spent.waiting = spent.work = 0
      return figures
    },
    [Symbol.dispose]: clear,
  }
}
