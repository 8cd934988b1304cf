/** A learning rate as a function of the step, counted from 0. */
export type Schedule = (step: number) => number

/** The same at every step. */
export const constant =
  (lr: number): Schedule =>
  () =>
    lr

/** Multiplies by `factor` at each milestone. */
export const stepDecay =
  (lr: number, milestones: readonly number[], factor = 0.1): Schedule =>
  (step) =>
    lr * factor ** milestones.filter((milestone) => step >= milestone).length

/** From `lr` at step 0 along half a cosine to `min` at `steps`, where it stays. */
export const cosine =
  (lr: number, steps: number, min = 0): Schedule =>
  (step) =>
    min + ((lr - min) / 2) * (1 + Math.cos(step < steps ? (Math.PI * step) / steps : Math.PI))

/** A straight line from `lr` at step 0 to `end` at `steps`, where it stays. */
export const linear =
  (lr: number, steps: number, end = 0): Schedule =>
  (step) =>
    lr + (end - lr) * (step < steps ? step / steps : 1)

/** Rises linearly from 0 during the first `steps`, then follows `after`, whose step 0 comes next. */
export const warmup =
  (steps: number, after: Schedule): Schedule =>
  (step) =>
    step < steps ? (after(0) * step) / steps : after(step - steps)
