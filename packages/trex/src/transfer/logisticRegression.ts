import { bestDevice, type Device, fromTypedArray, keep, noGrad, tidy } from 'trex-torch'
import { TrexError } from '../errors.js'
import { checkFeatureSet, type FeatureSet } from './featureSet.js'
import type { LbfgsStop } from './lbfgs.js'
import type { LinearClassifier } from './linearClassifier.js'
import { roughDtype, solve } from './linearSolver.js'
import { softmaxLoss } from './logitLoss.js'
import { designOf } from './newton.js'
import { coordinates, principalAxes } from './principalAxes.js'
import { fromTheta, toTheta } from './theta.js'

/** A fitted classifier and how the fit went. */
export interface LogisticFit extends LinearClassifier {
  readonly iterations: number
  /** C * sum of cross-entropies + 1/2 ||weight||^2. */
  readonly objective: number
  /** Whether the stopping rule asked for was reached: not at `maxIterations`, and not at the limit of rounding. */
  readonly converged: boolean
  readonly stop: LbfgsStop
}

/** What all fits of one problem share. */
export interface LogisticOptions {
  /** Of gradients and values (default float64); float32 is several times as fast. */
  readonly dtype?: 'float64' | 'float32'
  /** Default: the best device. */
  readonly device?: Device
  /**
   * `converged` (default) goes to the minimum by Newton's method in principal axes; `original` stops as the published
   * t-ReX evaluation did (scikit-learn 1.2's L-BFGS: relative decrease 2.22e-9, or gradient 1e-4, of the loss summed
   * over rows), on the features as they are: its accuracy at large C depends on where it happens to stop.
   */
  readonly stopping?: 'converged' | 'original'
}

/** What one fit is given. */
export interface LogisticFitOptions {
  /** The inverse of the l2 penalty. */
  readonly C: number
  /** A classifier to start from, such as that of a smaller C (default: zeros). */
  readonly start?: LinearClassifier
  /** Default 100 of `converged`, 2000 of `original`. */
  readonly maxIterations?: number
  /**
   * Of `converged`: the fit ends after a step that promised a decrease of at most this share of the objective (default
   * 1e-10; 1e-5 in float32). What is left then is about a tenth of it.
   */
  readonly tolerance?: number
}

/** Logistic regression on one feature set, for several fits; `dispose` releases it. */
export interface LogisticProblem {
  fit(options: LogisticFitOptions): LogisticFit
  dispose(): void
  [Symbol.dispose](): void
}

/**
 * Prepares multinomial logistic regression with an l2 penalty and an unpenalised bias: minimise
 * C * sum_i CE_i + 1/2 ||W||^2. Two classes are a softmax over two rows w_1 = -w_0, which at C equals one logistic
 * unit w = w_1 - w_0 at 2 C.
 * @throws TrexError for a set that does not fit `classes` or has non-finite features.
 */
export function logisticProblem(
  set: FeatureSet,
  classes: number,
  { dtype = 'float64', device = bestDevice(), stopping = 'converged' }: LogisticOptions = {},
): LogisticProblem {
  checkFeatureSet(set, classes)
  const { labels, dim } = set
  const loss = softmaxLoss(labels, device)
  const held = tidy(() =>
    noGrad(() => {
      const features = fromTypedArray(set.features, [labels.length, dim], { device }).to(dtype) // [n, d]
      const frame = stopping === 'original' ? null : principalAxes(features)
      const rows = frame ? coordinates(features, frame) : features
      return { frame, design: designOf(rows, dtype === 'float64' ? 'float32' : roughDtype(device)) }
    }),
  )
  const { frame, design } = held
  const tensors = [...Object.values(design), ...(frame ? [frame.mean, frame.axes] : [])].map(keep)

  const tight = dtype === 'float64' ? 1e-10 : 1e-5
  function fit({ C, start, maxIterations, tolerance = tight }: LogisticFitOptions): LogisticFit {
    if (!(C > 0 && Number.isFinite(C))) throw new TrexError(`C is ${C}, not a positive number`)
    const theta = start ? toTheta(start, [classes, dim], frame) : new Float64Array(design.x.size(1) * classes)
    const {
      theta: end,
      value,
      ...how
    } = noGrad(() => solve(design, loss, theta, { C, stopping, tolerance, maxIterations }))
    const { iterations, stop, converged } = how
    return { ...fromTheta(end, classes, frame), iterations, objective: C * value, converged, stop }
  }
  function dispose() {
    loss.dispose()
    for (const tensor of tensors) tensor.dispose()
  }
  return { fit, dispose, [Symbol.dispose]: dispose }
}

/** One fit of `logisticProblem`. */
export function fitLogisticRegression(
  set: FeatureSet,
  classes: number,
  options: LogisticOptions & LogisticFitOptions,
): LogisticFit {
  using problem = logisticProblem(set, classes, options)
  return problem.fit(options)
}
