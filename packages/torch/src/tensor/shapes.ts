import * as ops from '../ops.js'
import { ReducibleTensor } from './reductions.js'
import type { Tensor } from './tensor.js'

/** Matrix products, views of other shapes, and parts; a negative dimension counts from the end. */
export abstract class ShapedTensor extends ReducibleTensor {
  /** The matrix product: [.., n, k] and [.., k, m] to [.., n, m]; vectors and batches as in PyTorch. */
  matmul(other: Tensor): Tensor {
    return ops.matmul(this, other)
  }

  /** The transpose of a matrix, as a view. */
  t(): Tensor {
    return ops.t(this)
  }

  /** With two dimensions swapped, as a view. */
  transpose(dim0: number, dim1: number): Tensor {
    return ops.transpose(this, dim0, dim1)
  }

  /** With the dimensions in this order, as a view. */
  permute(...dims: number[]): Tensor {
    return ops.permute(this, dims)
  }

  /** The same elements, row-major, in another shape: a view where memory allows; one size may be -1. */
  reshape(...shape: number[]): Tensor {
    return ops.reshape(this, shape)
  }

  /** Dimensions `startDim` to `endDim` as one; a view where memory allows. */
  flatten(startDim = 0, endDim = -1): Tensor {
    return ops.flatten(this, startDim, endDim)
  }

  /** Without dimension `dim` if its size is 1, as a view. */
  squeeze(dim: number): Tensor {
    return ops.squeeze(this, dim)
  }

  /** With a new dimension of size 1 at `dim`, as a view. */
  unsqueeze(dim: number): Tensor {
    return ops.unsqueeze(this, dim)
  }

  /** Dimensions of size 1 repeated to this shape without a copy; -1 keeps a size. */
  expand(...shape: number[]): Tensor {
    return ops.expand(this, shape)
  }

  /** A copy that holds the tensor `times[i]` times along each dimension. */
  repeat(...times: number[]): Tensor {
    return ops.repeat(this, times)
  }

  /** Elements `start` (included) to `end` (excluded) of a dimension, as a view. */
  slice(dim: number, start: number, end: number | null = null, step = 1): Tensor {
    return ops.slice(this, dim, start, end, step)
  }

  /** The slice at `index` of `dim`, which goes, as a view. */
  select(dim: number, index: number): Tensor {
    return ops.select(this, dim, index)
  }

  /** `length` elements of a dimension from `start` on, as a view. */
  narrow(dim: number, start: number, length: number): Tensor {
    return ops.narrow(this, dim, start, length)
  }

  /** A copy of the slices at positions `index` (int64) of `dim`. */
  indexSelect(dim: number, index: Tensor): Tensor {
    return ops.indexSelect(this, dim, index)
  }

  /** Elements of this at positions `index` along `dim`: of the shape of `index`. */
  gather(dim: number, index: Tensor): Tensor {
    return ops.gather(this, dim, index)
  }

  /** Views of `size` elements each along `dim`; the last may be shorter. */
  split(size: number, dim = 0): Tensor[] {
    return ops.split(this, size, dim)
  }
}
