import type { Generator } from '../generator.js'
import type { Operand } from '../ops.js'
import * as ops from '../ops.js'
import { TensorCore } from './core.js'
import type { Tensor } from './tensor.js'

/** What computes each element from those at its place; operands are broadcast to one shape. */
export abstract class ElementwiseTensor extends TensorCore {
  /** this + alpha * other */
  add(other: Operand, alpha = 1): Tensor {
    return ops.add(this, other, alpha)
  }

  /** The same, written into this tensor. */
  add_(other: Operand, alpha = 1): this {
    return ops.addInPlace(this, other, alpha)
  }

  /** this - alpha * other */
  sub(other: Operand, alpha = 1): Tensor {
    return ops.sub(this, other, alpha)
  }

  /** The same, written into this tensor. */
  sub_(other: Operand, alpha = 1): this {
    return ops.subInPlace(this, other, alpha)
  }

  /** this * other, element by element. */
  mul(other: Operand): Tensor {
    return ops.mul(this, other)
  }

  /** The same, written into this tensor. */
  mul_(other: Operand): this {
    return ops.mulInPlace(this, other)
  }

  /** this / other; of integers a float32. */
  div(other: Operand): Tensor {
    return ops.div(this, other)
  }

  /** The same, written into this tensor. */
  div_(other: Operand): this {
    return ops.divInPlace(this, other)
  }

  /** this ** exponent */
  pow(exponent: Operand): Tensor {
    return ops.pow(this, exponent)
  }

  /** -this */
  neg(): Tensor {
    return ops.neg(this)
  }

  /** |this| */
  abs(): Tensor {
    return ops.abs(this)
  }

  /** e ** this */
  exp(): Tensor {
    return ops.exp(this)
  }

  /** The natural logarithm; NaN below 0. */
  log(): Tensor {
    return ops.log(this)
  }

  /** The square root; NaN below 0. */
  sqrt(): Tensor {
    return ops.sqrt(this)
  }

  /** The sine, in radians. */
  sin(): Tensor {
    return ops.sin(this)
  }

  /** The cosine, in radians. */
  cos(): Tensor {
    return ops.cos(this)
  }

  /** The hyperbolic tangent. */
  tanh(): Tensor {
    return ops.tanh(this)
  }

  /** 1 / (1 + exp(-this)) */
  sigmoid(): Tensor {
    return ops.sigmoid(this)
  }

  /** The largest whole number that is not greater. */
  floor(): Tensor {
    return ops.floor(this)
  }

  /** The nearest whole number; halves go to the even one. */
  round(): Tensor {
    return ops.round(this)
  }

  /** max(this, 0) */
  relu(): Tensor {
    return ops.relu(this)
  }

  /** The same, written into this tensor. */
  relu_(): this {
    return ops.reluInPlace(this)
  }

  /** Values below `min` become `min`, those above `max` become `max`; null is no bound. */
  clamp(min: number | null, max: number | null = null): Tensor {
    return ops.clamp(this, min, max)
  }

  /** The same, written into this tensor. */
  clamp_(min: number | null, max: number | null = null): this {
    return ops.clampInPlace(this, min, max)
  }

  /** The larger of two elements; NaN if either is. */
  maximum(other: Tensor): Tensor {
    return ops.maximum(this, other)
  }

  /** The smaller of two elements; NaN if either is. */
  minimum(other: Tensor): Tensor {
    return ops.minimum(this, other)
  }

  /** Where the elements are equal, as bool. */
  eq(other: Operand): Tensor {
    return ops.eq(this, other)
  }

  /** Where the elements differ, as bool. */
  ne(other: Operand): Tensor {
    return ops.ne(this, other)
  }

  /** Where this < other, as bool. */
  lt(other: Operand): Tensor {
    return ops.lt(this, other)
  }

  /** Where this <= other, as bool. */
  le(other: Operand): Tensor {
    return ops.le(this, other)
  }

  /** Where this > other, as bool. */
  gt(other: Operand): Tensor {
    return ops.gt(this, other)
  }

  /** Where this >= other, as bool. */
  ge(other: Operand): Tensor {
    return ops.ge(this, other)
  }

  /** Where elements are neither infinite nor NaN, as bool. */
  isfinite(): Tensor {
    return ops.isfinite(this)
  }

  /** Where elements are 0, as bool. */
  logicalNot(): Tensor {
    return ops.logicalNot(this)
  }

  /** exp(this) divided by its sum along `dim`. */
  softmax(dim: number): Tensor {
    return ops.softmax(this, dim)
  }

  /** The logarithm of `softmax(dim)`, computed without overflow. */
  logSoftmax(dim: number): Tensor {
    return ops.logSoftmax(this, dim)
  }

  /** this <- this + weight * (end - this) */
  lerp_(end: Tensor, weight: number): this {
    return ops.lerpInPlace(this, end, weight)
  }

  /** Takes the elements of `source` (broadcast), converting dtype and device. */
  copy_(source: Tensor): this {
    return ops.copyInPlace(this, source)
  }

  /** Every element `value`. */
  fill_(value: number): this {
    return ops.fillInPlace(this, value)
  }

  /** Every element 0. */
  zero_(): this {
    return ops.zeroInPlace(this)
  }

  /** Draws every element from N(mean, std); from the device's default generator when none is given. */
  normal_(mean = 0, std = 1, generator: Generator | null = null): this {
    return ops.normalInPlace(this, mean, std, generator)
  }

  /** Draws every element from U[from, to); from the device's default generator when none is given. */
  uniform_(from = 0, to = 1, generator: Generator | null = null): this {
    return ops.uniformInPlace(this, from, to, generator)
  }

  /** Adds the slices of `source` at positions `index` of dimension `dim`. */
  indexAdd_(dim: number, index: Tensor, source: Tensor): this {
    return ops.indexAddInPlace(this, dim, index, source)
  }
}
