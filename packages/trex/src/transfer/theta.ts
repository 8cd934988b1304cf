import { fromTypedArray, tidy } from 'trex-torch'
import { TrexError } from '../errors.js'
import type { LinearClassifier } from './linearClassifier.js'
import type { PrincipalAxes } from './principalAxes.js'
import { addScaled } from './vector.js'

// theta [(r + 1) * classes]: what the optimiser moves, weights on the principal axes (or, without a frame, on the
// features as they are) and below them the bias.

/** weight [C, d] and bias to theta [r + 1, C]: W' = axes W^T, b' = b + W mean. @throws TrexError for other sizes. */
export function toTheta(
  { weight, bias }: LinearClassifier,
  [classes, dim]: readonly [number, number],
  frame: PrincipalAxes | null,
): Float64Array {
  if (bias.length !== classes || weight.length !== classes * dim)
    throw new TrexError(
      `the start has ${bias.length} biases and ${weight.length} weights; ${classes} classes of ${dim} features need ` +
        `${classes} and ${classes * dim}`,
    )
  return tidy(() => {
    const w = fromTypedArray(weight, [classes, dim])
    const f = frame && inFloat64(frame)
    const inner = f ? f.axes.matmul(w.t()) : w.t() // [r, C]
    const theta = new Float64Array(inner.numel + classes)
    theta.set(inner.contiguous().toTypedArray() as Float64Array)
    const shift = f ? (w.matmul(f.mean).toTypedArray() as Float64Array) : new Float64Array(classes)
    theta.set(
      bias.map((b, c) => b + shift[c]!),
      inner.numel,
    )
    return theta
  })
}

/** The inverse of `toTheta` on the span of the axes: W = W'^T axes, b = b' - W mean. */
export function fromTheta(
  theta: Float64Array,
  classes: number,
  frame: PrincipalAxes | null,
): LinearClassifier {
  return tidy(() => {
    const rows = theta.length / classes - 1
    const f = frame && inFloat64(frame)
    const inner = fromTypedArray(theta.subarray(0, rows * classes), [rows, classes]).t() // [C, r]
    const w = f ? inner.matmul(f.axes) : inner.contiguous() // [C, d]
    const bias = theta.slice(rows * classes)
    if (f) addScaled(bias, w.matmul(f.mean).toTypedArray() as Float64Array, -1)
    return { weight: w.toTypedArray() as Float64Array, bias }
  })
}

const inFloat64 = ({ mean, axes }: PrincipalAxes): PrincipalAxes => ({
  mean: mean.to('cpu').to('float64'),
  axes: axes.to('cpu').to('float64'),
})
