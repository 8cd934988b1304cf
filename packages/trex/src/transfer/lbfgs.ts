import { noGrad, type Tensor, tidy } from 'trex-torch'
import { TrexError } from '../errors.js'
import { strongWolfe } from './lineSearch.js'

/** A function to minimise: its value and its gradient, a new tensor of the shape of `x`. */
export type Objective = (x: Tensor) => { value: number; gradient: Tensor }

/** Settings of `lbfgs`. */
export interface LbfgsOptions {
  /** Pairs of steps and gradient changes remembered (default 10). */
  readonly memory?: number
  /** Default 2000. */
  readonly maxIterations?: number
  /** Stop when no entry of the gradient exceeds this. */
  readonly gradientTolerance: number
  /** Stop when (f_k - f_{k+1}) / max(|f_k|, |f_{k+1}|, 1) is at most this (default: never). */
  readonly decreaseTolerance?: number
  /** Relative rounding error of the objective's values (default 1e-14). */
  readonly valueError?: number
  /** An approximate inverse Hessian times a vector, up to a factor; default the vector itself. */
  readonly precondition?: (vector: Tensor) => Tensor
}

/** Why a minimisation ended; `rounding`: the line search finds no decrease that rounding does not hide. */
export type LbfgsStop = 'gradient' | 'decrease' | 'rounding' | 'iterations'

/** Where a minimisation ended. */
export interface LbfgsResult {
  readonly x: Tensor
  readonly value: number
  /** max |gradient| at `x`. */
  readonly gradientMax: number
  readonly iterations: number
  readonly stop: LbfgsStop
}

interface Pair {
  readonly s: Tensor // x_{k+1} - x_k
  readonly y: Tensor // g_{k+1} - g_k
  readonly sy: number
}

interface Point {
  readonly x: Tensor
  readonly value: number
  readonly gradient: Tensor
}

const dot = (a: Tensor, b: Tensor) => tidy(() => a.mul(b).sum().item())
const maxAbs = (a: Tensor) => tidy(() => a.abs().max().item())

/**
 * Minimises a smooth function from `start` (float64, any shape, left as it is) by limited-memory BFGS with a strong
 * Wolfe line search: algorithm 7.5 of Nocedal and Wright, "Numerical Optimization" (2006). The caller owns `x`.
 * @throws TrexError when the objective is not finite at the start.
 */
export function lbfgs(objective: Objective, start: Tensor, options: LbfgsOptions): LbfgsResult {
  return tidy(() => noGrad(() => minimize(objective, start, options)))
}

function minimize(objective: Objective, start: Tensor, options: LbfgsOptions): LbfgsResult {
  const { memory = 10, maxIterations = 2000, gradientTolerance, decreaseTolerance, valueError } = options
  const x = start.clone()
  let point: Point = { x, ...objective(x) }
  if (!Number.isFinite(point.value)) throw new TrexError(`the objective is ${point.value} at the start`)
  let pairs: Pair[] = []
  let gradientMax = maxAbs(point.gradient)
  let iterations = 0
  const ended = (stop: LbfgsStop) => ({ x: point.x, value: point.value, gradientMax, iterations, stop })

  while (gradientMax > gradientTolerance) {
    if (iterations === maxIterations) return ended('iterations')
    const next = tidy(() => {
      const direction = descent(point.gradient, pairs, options.precondition)
      const firstStep = pairs.length > 0 ? 1 : Math.min(1, 1 / direction.norm().item())
      return searchAlong(objective, point, direction, firstStep, valueError)
    })
    if (next === null) {
      if (pairs.length === 0) return ended('rounding')
      disposePairs(pairs) // perhaps the memory misleads: steepest descent decides
      pairs = []
      continue
    }
    const { value: before } = point
    const pair = tidy(() => pairOf(point, next))
    disposePoint(point)
    point = next
    iterations++
    gradientMax = maxAbs(point.gradient)
    if (pair) pairs.push(pair)
    if (pairs.length > memory) disposePairs(pairs.splice(0, 1))
    const decrease = (before - point.value) / Math.max(Math.abs(before), Math.abs(point.value), 1)
    if (decreaseTolerance !== undefined && decrease <= decreaseTolerance) return ended('decrease')
  }
  return ended('gradient')
}

/** The two-loop recursion (algorithm 7.4): minus the approximate inverse Hessian times the gradient. */
function descent(gradient: Tensor, pairs: readonly Pair[], precondition = (v: Tensor) => v.clone()): Tensor {
  const q = gradient.neg()
  const alphas = pairs.map(() => 0)
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { s, y, sy } = pairs[i]!
    alphas[i] = dot(s, q) / sy
    q.sub_(y, alphas[i])
  }
  const r = precondition(q)
  const last = pairs.at(-1)
  if (last) r.mul_(last.sy / dot(last.y, precondition(last.y)))
  for (const [i, { s, y, sy }] of pairs.entries()) r.add_(s, alphas[i]! - dot(y, r) / sy)
  return r
}

/** The point of a step along `direction` that fulfils the strong Wolfe conditions, or null. */
function searchAlong(
  objective: Objective,
  { x, value, gradient }: Point,
  direction: Tensor,
  firstStep: number,
  valueError?: number,
): Point | null {
  const start = { value, slope: dot(gradient, direction) }
  if (!(start.slope < 0)) return null
  let trial: Point | undefined
  const evaluate = (step: number) => {
    if (trial) disposePoint(trial)
    const moved = x.add(direction, step)
    trial = { x: moved, ...tidy(() => objective(moved)) }
    return { value: trial.value, slope: dot(trial.gradient, direction) }
  }
  return strongWolfe(evaluate, start, firstStep, { valueError }) === null ? null : trial!
}

/** What a step tells about the curvature; null where rounding leaves none (the update must stay positive). */
function pairOf(from: Point, to: Point): Pair | null {
  const s = to.x.sub(from.x)
  const y = to.gradient.sub(from.gradient)
  const sy = dot(s, y)
  return sy > 1e-16 * dot(y, y) ? { s, y, sy } : null
}

function disposePoint({ x, gradient }: Point): void {
  x.dispose()
  gradient.dispose()
}

function disposePairs(pairs: readonly Pair[]): void {
  for (const { s, y } of pairs) {
    s.dispose()
    y.dispose()
  }
}
