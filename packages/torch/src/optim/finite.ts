import { noGrad } from '../autograd.js'
import { ones, stack } from '../create.js'
import type { Tensor } from '../tensor/tensor.js'
import { tidy } from '../tidy.js'
import { foreachNorm } from './foreach.js'

/**
 * Whether every element of every tensor is neither infinite nor NaN: a bool [] on their device, so that one read
 * answers for a whole model. The tensors are floating-point and on one device; none at all are finite.
 */
export function allFinite(tensors: readonly Tensor[]): Tensor {
  const filled = tensors.filter((tensor) => tensor.numel > 0) // the largest of nothing is an error
  if (!filled.length) return ones([], { dtype: 'bool' })
  return tidy(() => noGrad(() => stack(foreachNorm(filled, Infinity)).isfinite().all()))
}
