import { fromTypedArray, type Tensor, tidy } from 'trex-torch'
import { TrexError } from '../errors.js'
import type { LinearClassifier } from './linearClassifier.js'
import { addScaled } from './vector.js'

// theta [(r + 1) * classes]: what the optimiser moves, weights on the principal axes (or, without a frame, on the
// features as they are) and below them the bias.

/** The origin [d] and the orthonormal directions [r, d] that theta refers to. */
export interface Frame {
  readonly mean: Tensor
  readonly axes: Tensor
}

/** weight [C, d] and bias to theta [r + 1, C]: W' = axes W^T, b' = b + W mean. @throws TrexError for other sizes. */
export function toTheta(
  { weight, bias }: LinearClassifier,
  [classes, dim]: readonly [number, number],
  frame: Frame | null,
): Float64Array {
  if (bias.length !== classes || weight.length !== classes * dim)
    throw new TrexError(
      `the start has ${bias.length} biases and ${weight.length} weights; ${classes} classes of ${dim} features need ` +
        `${classes} and ${classes * dim}`,
    )
  return tidy(() => {
    const w = fromTypedArray(weight, [classes, dim])
    const inner = frame ? frame.axes.matmul(w.t()) : w.t() // [r, C]
    const theta = new Float64Array(inner.numel + classes)
    theta.set(inner.contiguous().toTypedArray() as Float64Array)
    const shift = frame ? (w.matmul(frame.mean).toTypedArray() as Float64Array) : new Float64Array(classes)
    theta.set(
      bias.map((b, c) => b + shift[c]!),
      inner.numel,
    )
    return theta
  })
}

/** The inverse of `toTheta` on the span of the axes: W = W'^T axes, b = b' - W mean. */
export function fromTheta(theta: Float64Array, classes: number, frame: Frame | null): LinearClassifier {
  return tidy(() => {
    const rows = theta.length / classes - 1
    const inner = fromTypedArray(theta.subarray(0, rows * classes), [rows, classes]).t() // [C, r]
    const w = frame ? inner.matmul(frame.axes) : inner.contiguous() // [C, d]
    const bias = theta.slice(rows * classes)
    if (frame) addScaled(bias, w.matmul(frame.mean).toTypedArray() as Float64Array, -1)
    return { weight: w.toTypedArray() as Float64Array, bias }
  })
}

/**
 * The Hessian of the loss on principal axes is about curvature * energy_j for every class; its inverse, with the
 * penalty, is what makes ill-conditioned features converge in tens of iterations instead of thousands.
 */
export function inverseCurvature(
  energy: Float64Array,
  n: number,
  classes: number,
  curvature: number,
  C: number,
): Float64Array {
  const k = Math.max(curvature, 1e-12)
  const diagonal = new Float64Array((energy.length + 1) * classes)
  for (const [j, e] of energy.entries()) diagonal.fill(1 / (k * e + 1 / C), j * classes, (j + 1) * classes)
  return diagonal.fill(1 / (k * n), energy.length * classes)
}
