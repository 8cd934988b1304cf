import * as ops from '../ops.js'
import { ElementwiseTensor } from './elementwise.js'
import type { Tensor } from './tensor.js'

type Dims = number | readonly number[]

const list = (dims: Dims | null): readonly number[] | null => (typeof dims === 'number' ? [dims] : dims)

/** What combines the elements of one or several dimensions; these go unless `keepDim` leaves them with size 1. */
export abstract class ReducibleTensor extends ElementwiseTensor {
  /** The sum over `dims`, or of all elements []. */
  sum(dims: Dims | null = null, keepDim = false): Tensor {
    return dims === null ? ops.sumAll(this) : ops.sumDims(this, list(dims), keepDim)
  }

  /** The mean over `dims`, or of all elements []. */
  mean(dims: Dims | null = null, keepDim = false): Tensor {
    return dims === null ? ops.meanAll(this) : ops.meanDims(this, list(dims), keepDim)
  }

  /** The variance over `dims`, divided by n - 1, or by n when not `unbiased`. */
  var(dims: Dims, unbiased = true, keepDim = false): Tensor {
    return ops.varDims(this, list(dims), unbiased, keepDim)
  }

  /** The 2-norm, or the norm of order `p`. */
  norm(p = 2, dims: Dims | null = null, keepDim = false): Tensor {
    return ops.normAll(this, p, list(dims), keepDim)
  }

  /** The largest element []. */
  max(): Tensor {
    return ops.maxAll(this)
  }

  /** The smallest element []. */
  min(): Tensor {
    return ops.minAll(this)
  }

  /** The position (int64) of the largest element along `dim`, or in the flattened tensor. */
  argmax(dim: number | null = null, keepDim = false): Tensor {
    return ops.argmax(this, dim, keepDim)
  }

  /** The `k` largest values of a dimension and their positions, best first. */
  topk(k: number, dim = -1): [values: Tensor, indices: Tensor] {
    return ops.topk(this, k, dim) as [Tensor, Tensor]
  }

  /** The values along `dim` in order, ascending unless said, and the positions they had. */
  sort(dim = -1, descending = false): [values: Tensor, indices: Tensor] {
    return ops.sort(this, dim, descending) as [Tensor, Tensor]
  }

  /** Whether every element is nonzero: a bool []. */
  all(): Tensor {
    return ops.all(this)
  }

  /** Whether some element is nonzero: a bool []. */
  any(): Tensor {
    return ops.any(this)
  }

  /** The sums of the elements up to and including each one along `dim`. */
  cumsum(dim: number): Tensor {
    return ops.cumsum(this, dim)
  }
}
