import { keep, stack, type Tensor, tidy } from 'trex-torch'
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
}

/**
 * Gathers what steps give and leaves it on the device until it is read, all at once: reading waits for the device.
 * Time before `begin` is waiting for images, from there to `add` is work.
 */
export interface Meter extends Disposable {
  /** Steps that were not read yet. */
  readonly pending: number
  begin(): void
  add(facts: StepFacts, result: StepResult): void
  read(): StepFigures[]
}

/** A meter whose clock starts now. */
export function openMeter(): Meter {
  const steps: (StepFacts & { loss: Tensor; hits: Tensor; crops: number })[] = []
  let since = performance.now()
  let idleFrom = since
  let waited = 0
  const clear = () => {
    for (const { loss, hits } of steps.splice(0)) for (const tensor of [loss, hits]) tensor.dispose()
  }
  return {
    get pending() {
      return steps.length
    },
    begin() {
      waited += performance.now() - idleFrom
    },
    add(facts, { loss, logits, targets }) {
      const hits = tidy(() => keep(logits.argmax(1).eq(targets).sum().to(loss.dtype))) // []
      steps.push({ ...facts, loss: keep(loss.clone()), hits, crops: targets.size(0) })
      idleFrom = performance.now()
    },
    read() {
      if (steps.length === 0) return []
      const values = tidy(() => stack(steps.flatMap(({ loss, hits }) => [loss, hits])).toTypedArray())
      const now = performance.now()
      const seconds = (now - since) / 1000 / steps.length
      const waiting = waited / 1000 / steps.length
      const figures = steps.map(
        ({ epoch, step, lr, images, crops }, i): StepFigures => ({
          ...{ epoch, step, lr, images, crops, seconds, waited: waiting },
          ...{ loss: Number(values[2 * i]), hits: Number(values[2 * i + 1]) },
        }),
      )
      clear()
      since = idleFrom = now
      waited = 0
      return figures
    },
    [Symbol.dispose]: clear,
  }
}
