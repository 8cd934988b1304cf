import { bestDevice, type Device, fromTypedArray, keep, noGrad, tidy } from 'trex-torch'
import { TrexError } from '../errors.js'
import { checkFeatureSet, type FeatureSet } from './featureSet.js'
import { type LbfgsStop, lbfgs } from './lbfgs.js'
import type { LinearClassifier } from './linearClassifier.js'
import { principalAxes } from './principalAxes.js'
import { softmaxLoss } from './softmaxLoss.js'
import { fromTheta, inverseCurvature, toTheta } from './theta.js'
import { addScaled, dot, maxAbs } from './vector.js'

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
  /** Of the matrix products (default float64); float32 is about twice as fast and reaches tolerances of about 1e-5. */
  readonly dtype?: 'float64' | 'float32'
  /** Default: the best device. */
  readonly device?: Device
  /**
   * `converged` (default) works in principal axes until the gradient is small; `original` stops as the published
   * t-ReX evaluation did (scikit-learn 1.2: relative decrease 2.22e-9, or gradient 1e-4, of the loss summed over
   * rows), on the features as they are: its accuracy at large C depends on where it happens to stop.
   */
  readonly stopping?: 'converged' | 'original'
}

/** What one fit is given. */
export interface LogisticFitOptions {
  /** The inverse of the l2 penalty. */
  readonly C: number
  /** A classifier to start from, such as that of a smaller C (default: zeros). */
  readonly start?: LinearClassifier
  /** Default 2000. */
  readonly maxIterations?: number
  /**
   * Of `converged`: the fit ends when max |gradient| / objective has fallen to this share of its value at zero weights
   * (default 1e-6; 1e-5 in float32).
   */
  readonly tolerance?: number
}

/** Logistic regression on one feature set, for several fits; `dispose` releases it. */
export interface LogisticProblem {
  fit(options: LogisticFitOptions): LogisticFit
  dispose(): void
  [Symbol.dispose](): void
}

const ORIGINAL_STOPPING = { gradient: 1e-4, decrease: 2.22e-9 }

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
  const { frame, loss, energy } = tidy(() =>
    noGrad(() => {
      const features = fromTypedArray(set.features, [labels.length, dim]).to('float64') // [n, d]
      if (stopping === 'original')
        return { frame: null, loss: softmaxLoss(features, labels, classes, { dtype, device }), energy: null }
      const { coordinates, mean, axes, energy } = principalAxes(features)
      return {
        frame: { mean: keep(mean), axes: keep(axes) },
        loss: softmaxLoss(coordinates, labels, classes, { dtype, device }),
        energy: energy.toTypedArray() as Float64Array,
      }
    }),
  )
  const r = energy?.length ?? dim
  const zero = new Float64Array((r + 1) * classes)
  const atZero = loss.evaluate(zero)
  const gradientScale = atZero.value > 0 ? maxAbs(atZero.gradient) / atZero.value : 0
  const defaultTolerance = dtype === 'float64' ? 1e-6 : 1e-5

  function fit({ C, start, maxIterations, tolerance = defaultTolerance }: LogisticFitOptions): LogisticFit {
    if (!(C > 0 && Number.isFinite(C))) throw new TrexError(`C is ${C}, not a positive number`)
    const theta = start ? toTheta(start, [classes, dim], frame) : zero
    const result = lbfgs((x) => penalised(loss.evaluate(x), x.subarray(0, r * classes), C), theta, {
      maxIterations,
      stopping: stopping === 'original' ? ORIGINAL_STOPPING : { relativeGradient: tolerance * gradientScale },
      valueError: dtype === 'float64' ? 1e-14 : 1e-6,
      inverseDiagonal: energy
        ? inverseCurvature(energy, labels.length, classes, loss.curvature(theta), C)
        : undefined,
    })
    const { iterations, stop } = result
    const converged = stop === 'gradient' || stop === 'decrease'
    const classifier = fromTheta(result.x, classes, frame)
    return { ...classifier, iterations, objective: C * result.value, converged, stop }
  }
  function dispose() {
    loss.dispose()
    frame?.mean.dispose()
    frame?.axes.dispose()
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

/** sum CE + ||W||^2 / (2 C): the objective over C, which keeps its scale whatever C is. */
function penalised(
  { value, gradient }: { value: number; gradient: Float64Array },
  weight: Float64Array,
  C: number,
): { value: number; gradient: Float64Array } {
  return { value: value + dot(weight, weight) / (2 * C), gradient: addScaled(gradient, weight, 1 / C) }
}
