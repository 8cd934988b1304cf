/** Value and slope of a function of one step length. */
export interface LinePoint {
  readonly value: number
  readonly slope: number
}

/** Constants of the strong Wolfe conditions. */
export interface LineSearchOptions {
  /** c1: the share of the decrease the slope promises that a step must bring (default 1e-4). */
  readonly sufficientDecrease?: number
  /** c2: the share of the slope that may be left (default 0.9, for quasi-Newton directions). */
  readonly curvature?: number
  /** Relative rounding error of a value: a rise within it counts as level (default 1e-14). */
  readonly valueError?: number
  readonly maxEvaluations?: number
}

/**
 * A step length that fulfils the strong Wolfe conditions, always the one evaluated last; null when there is none
 * within `maxEvaluations` (default 20), which near a minimum means that rounding hides the decrease. Algorithms 3.5
 * and 3.6 of Nocedal and Wright, "Numerical Optimization" (2006), with the approximate condition of Hager and Zhang
 * (SIAM J. Optim. 16, 2005) within the values' rounding error.
 */
export function strongWolfe(
  evaluate: (step: number) => LinePoint,
  start: LinePoint,
  firstStep: number,
  options: LineSearchOptions = {},
): number | null {
  const {
    sufficientDecrease: c1 = 1e-4,
    curvature: c2 = 0.9,
    valueError = 1e-14,
    maxEvaluations = 20,
  } = options
  const level = start.value + valueError * Math.abs(start.value)
  const decreases = ({ step, value, slope }: Step) =>
    value <= start.value + c1 * step * start.slope || (value <= level && slope <= (2 * c1 - 1) * start.slope)
  const isFlat = ({ slope }: Step) => Math.abs(slope) <= -c2 * start.slope

  let low: Step = { step: 0, ...start } // the best step so far
  let high: Step | null = null // with low it encloses a minimum, once there is one
  let step = firstStep
  for (let i = 0; i < maxEvaluations; i++) {
    const trial: Step = { step, ...evaluate(step) }
    if (!decreases(trial) || (trial.value > low.value && trial.value > level)) high = trial
    else if (isFlat(trial)) return step
    else {
      const goesOn = trial.slope * ((high?.step ?? Number.POSITIVE_INFINITY) - low.step) < 0
      if (!goesOn) high = low
      low = trial
    }
    if (high !== null && Math.abs(high.step - low.step) <= 1e-12 * Math.abs(low.step)) return null
    step = high === null ? 4 * trial.step : between(low, high)
  }
  return null
}

interface Step extends LinePoint {
  readonly step: number
}

/** The minimum of the cubic through two points and their slopes, kept a tenth of the interval off its ends. */
function between(a: Step, b: Step): number {
  const width = b.step - a.step
  const d1 = a.slope + b.slope - (3 * (b.value - a.value)) / width
  const d2 = Math.sign(width) * Math.sqrt(d1 * d1 - a.slope * b.slope)
  const cubic = b.step - (width * (b.slope + d2 - d1)) / (b.slope - a.slope + 2 * d2)
  const share = (cubic - a.step) / width
  return Number.isFinite(share) ? a.step + width * Math.min(Math.max(share, 0.1), 0.9) : a.step + width / 2
}
