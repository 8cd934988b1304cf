import { TrexError } from '../errors.js'
import { moreThuente } from './moreThuente.js'
import { addScaled, dot, maxAbs, scale, subtract } from './vector.js'

/** A function to minimise: its value and its gradient, a new array, at `x`. */
export type Objective = (x: Float64Array) => { value: number; gradient: Float64Array }

/** When to stop: as soon as one of the rules given holds. */
export interface StoppingRules {
  /** max |gradient| is at most this. */
  readonly gradient?: number
  /** (f_k - f_{k+1}) / max(|f_k|, |f_{k+1}|, 1) is at most this. */
  readonly decrease?: number
}

/** Settings of `lbfgs`. */
export interface LbfgsOptions {
  readonly stopping: StoppingRules
  /** Pairs of steps and gradient changes remembered (default 10). */
  readonly memory?: number
  /** Default 2000. */
  readonly maxIterations?: number | undefined
}

/** Why a minimisation ended; `rounding`: no step brings a decrease that rounding does not hide. */
export type LbfgsStop = 'gradient' | 'decrease' | 'rounding' | 'iterations'

/** Where a minimisation ended. */
export interface LbfgsResult {
  readonly x: Float64Array
  readonly value: number
  /** max |gradient| at `x`. */
  readonly gradientMax: number
  readonly iterations: number
  readonly stop: LbfgsStop
}

interface Point {
  readonly x: Float64Array
  readonly value: number
  readonly gradient: Float64Array
}

interface Pair {
  readonly s: Float64Array // x_{k+1} - x_k
  readonly y: Float64Array // g_{k+1} - g_k
  readonly sy: number
}

/**
 * Minimises a smooth function from `start` by limited-memory BFGS (algorithm 7.5 of Nocedal and Wright, "Numerical
 * Optimization", 2006) with the line search of SciPy's L-BFGS-B, whose steps it takes.
 * @throws TrexError when the objective is not finite at the start.
 */
export function lbfgs(objective: Objective, start: Float64Array, options: LbfgsOptions): LbfgsResult {
  const { stopping, memory = 10, maxIterations = 2000 } = options
  let point: Point = { x: start.slice(), ...objective(start) }
  if (!Number.isFinite(point.value)) throw new TrexError(`the objective is ${point.value} at the start`)
  let pairs: Pair[] = []
  let iterations = 0
  let stop: LbfgsStop | null = isFlat(point, stopping) ? 'gradient' : null
  while (stop === null && iterations < maxIterations) {
    const direction = descent(point.gradient, pairs)
    const firstStep = pairs.length > 0 ? 1 : Math.min(1, 1 / Math.sqrt(dot(direction, direction)))
    const next = searchAlong(objective, point, direction, firstStep)
    if (next === null) {
      if (pairs.length === 0) stop = 'rounding'
      pairs = [] // the memory may mislead: without it, the gradient alone decides
      continue
    }
    iterations++
    pairs = remember(pairs, point, next, memory)
    if (isFlat(next, stopping)) stop = 'gradient'
    else if (decreaseOf(point, next) <= (stopping.decrease ?? Number.NEGATIVE_INFINITY)) stop = 'decrease'
    point = next
  }
  const { x, value, gradient } = point
  return { x, value, gradientMax: maxAbs(gradient), iterations, stop: stop ?? 'iterations' }
}

const isFlat = ({ gradient }: Point, rules: StoppingRules) => maxAbs(gradient) <= (rules.gradient ?? 0)

const decreaseOf = (from: Point, to: Point) =>
  (from.value - to.value) / Math.max(Math.abs(from.value), Math.abs(to.value), 1)

/** The two-loop recursion (algorithm 7.4): minus the approximate inverse Hessian times the gradient. */
function descent(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const q = scale(gradient.slice(), -1)
  const alphas = pairs.map(() => 0)
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { s, y, sy } = pairs[i]!
    alphas[i] = dot(s, q) / sy
    addScaled(q, y, -alphas[i]!)
  }
  const last = pairs.at(-1)
  const r = scale(q, last ? last.sy / dot(last.y, last.y) : 1)
  for (const [i, { s, y, sy }] of pairs.entries()) addScaled(r, s, alphas[i]! - dot(y, r) / sy)
  return r
}

/** The point along `direction` that fulfils the strong Wolfe conditions, or null. */
function searchAlong(
  objective: Objective,
  { x, value, gradient }: Point,
  direction: Float64Array,
  firstStep: number,
): Point | null {
  const start = { value, slope: dot(gradient, direction) }
  if (!(start.slope < 0)) return null
  let trial: Point | null = null
  const evaluate = (step: number) => {
    const moved = addScaled(x.slice(), direction, step)
    trial = { x: moved, ...objective(moved) }
    return { value: trial.value, slope: dot(trial.gradient, direction) }
  }
  return moreThuente(evaluate, start, firstStep) === null ? null : trial
}

/** The pairs with the newest step's added, unless rounding leaves no curvature in it. */
function remember(pairs: readonly Pair[], from: Point, to: Point, memory: number): Pair[] {
  const s = subtract(to.x, from.x)
  const y = subtract(to.gradient, from.gradient)
  const sy = dot(s, y)
  return sy > 2.2e-16 * dot(y, y) ? [...pairs, { s, y, sy }].slice(-memory) : [...pairs]
}
