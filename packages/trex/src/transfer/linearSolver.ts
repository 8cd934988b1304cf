import { type Device, engineInfo, fromTypedArray, tidy } from 'trex-torch'
import { type LbfgsStop, lbfgs } from './lbfgs.js'
import type { LogitLoss } from './logitLoss.js'
import { times, transposedTimes } from './narrowProducts.js'
import { type Design, newton } from './newton.js'
import { addScaled, dot } from './vector.js'

/** What decides when a fit ends. */
export interface SolverOptions {
  /** The inverse of the l2 penalty. */
  readonly C: number
  /**
   * `converged` goes to the minimum by Newton's method (best in principal axes); `original` stops as scikit-learn 1.2's
   * L-BFGS did: at a relative decrease of 2.22e-9, or a gradient of 1e-4, of the loss summed over rows.
   */
  readonly stopping: 'converged' | 'original'
  /** Of `converged`, as in `newton`. */
  readonly tolerance: number
  /** Default 100 of `converged`, 2000 of `original`. */
  readonly maxIterations?: number | undefined
}

/** A fit and what it cost. */
export interface SolverFit {
  /** [(r + 1) * C], the bias row last. */
  readonly theta: Float64Array
  /** sum of the loss + ||W||^2 / (2 C) */
  readonly value: number
  readonly iterations: number
  /** Of the loss and its gradient. */
  readonly evaluations: number
  /** With the second derivative. */
  readonly products: number
  readonly stop: LbfgsStop
  /** Whether the stopping rule was reached: not the last iteration, nor the limit of rounding. */
  readonly converged: boolean
}

const ORIGINAL_STOPPING = { gradient: 1e-4, decrease: 2.22e-9 }

/** The dtype in which products with the second derivative are fastest; values and gradients do not use it. */
export const roughDtype = (device: Device): 'bfloat16' | 'float32' =>
  device !== 'cpu' || engineInfo().bf16 ? 'bfloat16' : 'float32'

/** Minimises loss(x theta) + ||W||^2 / (2 C) from `start`, the bias not penalised. */
export function solve(
  design: Design,
  loss: LogitLoss,
  start: Float64Array,
  options: SolverOptions,
): SolverFit {
  const { C, tolerance, maxIterations } = options
  const { dtype, device } = design.x
  const fit = () => {
    if (options.stopping === 'original') return original(design, loss, start, options)
    const rows = design.x.size(1)
    const from = fromTypedArray(start, [rows, start.length / rows]).to({ dtype, device }) // [r + 1, C]
    const { theta, ...how } = newton(design, loss, from, { C, tolerance, maxIterations })
    return { ...how, theta: theta.to('float64').toTypedArray() as Float64Array }
  }
  const result = tidy(fit)
  return { ...result, converged: result.stop === 'gradient' || result.stop === 'decrease' }
}

function original({ x }: Design, loss: LogitLoss, start: Float64Array, { C, maxIterations }: SolverOptions) {
  const { dtype, device } = x
  const rows = x.size(1)
  const classes = start.length / rows
  let evaluations = 0
  const objective = (theta: Float64Array) =>
    tidy(() => {
      evaluations++
      const { value, residual } = loss.at(
        times(x, fromTypedArray(theta, [rows, classes]).to({ dtype, device })),
      )
      const gradient = transposedTimes(x, residual).to('float64').toTypedArray() as Float64Array
      const weight = theta.subarray(0, (rows - 1) * classes)
      addScaled(gradient, weight, 1 / C)
      return { value: value + dot(weight, weight) / (2 * C), gradient }
    })
  const { x: theta, ...how } = lbfgs(objective, start, {
    maxIterations,
    stopping: ORIGINAL_STOPPING,
  })
  return { ...how, theta, evaluations, products: 0 }
}
