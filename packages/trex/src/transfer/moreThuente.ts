import type { LinePoint } from './lineSearch.js'

/** A step with the function there. */
interface Step extends LinePoint {
  readonly step: number
}

/** An interval of uncertainty: its best step, its other end, and whether they enclose a minimum. */
interface Bracket {
  readonly best: Step
  readonly other: Step
  readonly closed: boolean
}

const [SUFFICIENT, CURVATURE, WIDTH, LONGEST, MAX_EVALUATIONS] = [1e-3, 0.9, 0.1, 1e10, 20]

/**
 * The line search of Moré and Thuente (ACM TOMS 20, 1994) with the constants of L-BFGS-B 3.0, so that a minimisation goes the
 * way of SciPy's step by step. Returns the step evaluated last, or null when 20 evaluations bring none.
 */
export function moreThuente(
  evaluate: (step: number) => LinePoint,
  start: LinePoint,
  firstStep: number,
): number | null {
  const slope = SUFFICIENT * start.slope
  const zero: Step = { step: 0, ...start }
  let bracket: Bracket = { best: zero, other: zero, closed: false }
  let [low, high] = [0, 5 * firstStep]
  let [width, before] = [LONGEST, 2 * LONGEST]
  let decreasing = false // once a step has decreased enough and gone past the minimum, the function itself is modelled
  let step = firstStep
  for (let i = 0; i < MAX_EVALUATIONS; i++) {
    const trial: Step = { step, ...evaluate(step) }
    const wanted = start.value + step * slope
    if (trial.value <= wanted && trial.slope >= 0) decreasing = true
    if (trial.value <= wanted && Math.abs(trial.slope) <= -CURVATURE * start.slope) return step
    const spent = step <= low || step >= high || high - low <= WIDTH * high
    if (bracket.closed && spent) return step
    if (step === LONGEST && trial.value <= wanted && trial.slope <= slope) return step

    const modified = !decreasing && trial.value <= bracket.best.value && trial.value > wanted
    const tilt = modified ? slope : 0
    const tilted = (s: Step): Step => ({ ...s, value: s.value - s.step * tilt, slope: s.slope - tilt })
    const level = (s: Step): Step => ({ ...s, value: s.value + s.step * tilt, slope: s.slope + tilt })
    const next = narrow(
      { best: tilted(bracket.best), other: tilted(bracket.other), closed: bracket.closed },
      tilted(trial),
      [low, high],
    )
    bracket = { best: level(next.best), other: level(next.other), closed: next.closed }
    step = next.step
    const { best, other, closed } = bracket
    if (closed) {
      const length = Math.abs(other.step - best.step)
      if (length >= 0.66 * before) step = best.step + 0.5 * (other.step - best.step)
      ;[before, width] = [width, length]
      ;[low, high] = [Math.min(best.step, other.step), Math.max(best.step, other.step)]
    } else {
      ;[low, high] = [step + 1.1 * (step - best.step), step + 4 * (step - best.step)]
    }
    step = Math.min(Math.max(step, 0), LONGEST)
    if (closed && (step <= low || step >= high || high - low <= WIDTH * high)) step = best.step
  }
  return null
}

/** The next step and the interval that holds it: the four cases of the paper's section 4. */
function narrow(
  { best, other, closed }: Bracket,
  trial: Step,
  [low, high]: readonly [number, number],
): Bracket & { step: number } {
  const opposed = trial.slope * Math.sign(best.slope) < 0
  const secant = trial.step + (trial.slope / (trial.slope - best.slope)) * (best.step - trial.step)
  const nearer = (a: number, b: number) => Math.abs(a - trial.step) < Math.abs(b - trial.step)
  const end = trial.step > best.step ? high : low
  let step: number
  if (trial.value > best.value) {
    const cubic = cubicStep(best, trial)
    const rise = (best.value - trial.value) / (trial.step - best.step) + best.slope
    const quadratic = best.step + (best.slope / rise / 2) * (trial.step - best.step)
    const close = Math.abs(cubic - best.step) < Math.abs(quadratic - best.step)
    step = close ? cubic : cubic + (quadratic - cubic) / 2
    closed = true
  } else if (opposed) {
    const cubic = cubicStep(trial, best)
    step = nearer(secant, cubic) ? cubic : secant
    closed = true
  } else if (Math.abs(trial.slope) < Math.abs(best.slope)) {
    const cubic = cubicStep(trial, best, end)
    if (closed) {
      step = nearer(cubic, secant) ? cubic : secant
      const limit = trial.step + 0.66 * (other.step - trial.step)
      step = trial.step > best.step ? Math.min(limit, step) : Math.max(limit, step)
    } else step = Math.min(Math.max(nearer(secant, cubic) ? cubic : secant, low), high)
  } else step = closed ? cubicStep(trial, other) : end

  if (trial.value > best.value) return { best, other: trial, closed, step }
  return { best: trial, other: opposed ? best : other, closed, step }
}

/**
 * The minimum of the cubic through two points and their slopes, from `a` on. With `end`, the cubic may have none beyond `a`,
 * or decrease for ever: `end` then.
 */
function cubicStep(a: Step, b: Step, end?: number): number {
  const theta = (3 * (b.value - a.value)) / (a.step - b.step) + a.slope + b.slope
  const scale = Math.max(Math.abs(theta), Math.abs(a.slope), Math.abs(b.slope))
  const root = (theta / scale) ** 2 - (a.slope / scale) * (b.slope / scale)
  const gamma = Math.sign(b.step - a.step) * scale * Math.sqrt(end === undefined ? root : Math.max(0, root))
  const share = (gamma - a.slope + theta) / (gamma - a.slope + gamma + b.slope)
  if (end !== undefined && !(share < 0 && gamma !== 0)) return end
  return a.step + share * (b.step - a.step)
}
