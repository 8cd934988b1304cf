import { setTensorFactory } from '../dispatch.js'
import { type Device, type DType, dtypes, type MemoryFormat, memoryFormats } from '../dtype.js'
import type { Generator } from '../generator.js'
import { native } from '../native.js'
import type { Operand } from '../ops.js'
import * as ops from '../ops.js'
import { TensorCore } from './core.js'

type Dims = number | readonly number[]

const list = (dims: Dims | null): readonly number[] | null => (typeof dims === 'number' ? [dims] : dims)

/**
 * A libtorch tensor. Methods follow PyTorch's names in camelCase; a trailing underscore writes the tensor
 * itself. (Longer than most files because one class cannot be declared in two.)
 * @throws Error `ERR_DISPOSED` on use after disposal, `ERR_TORCH` with libtorch's message on bad shapes.
 */
export class Tensor extends TensorCore {
  // --- element-wise -------------------------------------------------------------------------------
  /** this + alpha * other */
  add(other: Operand, alpha = 1): Tensor {
    return ops.add(this, other, alpha)
  }
  add_(other: Operand, alpha = 1): this {
    return ops.addInPlace(this, other, alpha)
  }
  sub(other: Operand, alpha = 1): Tensor {
    return ops.sub(this, other, alpha)
  }
  sub_(other: Operand, alpha = 1): this {
    return ops.subInPlace(this, other, alpha)
  }
  mul(other: Operand): Tensor {
    return ops.mul(this, other)
  }
  mul_(other: Operand): this {
    return ops.mulInPlace(this, other)
  }
  div(other: Operand): Tensor {
    return ops.div(this, other)
  }
  div_(other: Operand): this {
    return ops.divInPlace(this, other)
  }
  pow(exponent: Operand): Tensor {
    return ops.pow(this, exponent)
  }
  neg(): Tensor {
    return ops.neg(this)
  }
  abs(): Tensor {
    return ops.abs(this)
  }
  exp(): Tensor {
    return ops.exp(this)
  }
  log(): Tensor {
    return ops.log(this)
  }
  sqrt(): Tensor {
    return ops.sqrt(this)
  }
  sin(): Tensor {
    return ops.sin(this)
  }
  cos(): Tensor {
    return ops.cos(this)
  }
  tanh(): Tensor {
    return ops.tanh(this)
  }
  sigmoid(): Tensor {
    return ops.sigmoid(this)
  }
  floor(): Tensor {
    return ops.floor(this)
  }
  round(): Tensor {
    return ops.round(this)
  }
  relu(): Tensor {
    return ops.relu(this)
  }
  relu_(): this {
    return ops.reluInPlace(this)
  }
  clamp(min: number | null, max: number | null = null): Tensor {
    return ops.clamp(this, min, max)
  }
  clamp_(min: number | null, max: number | null = null): this {
    return ops.clampInPlace(this, min, max)
  }
  maximum(other: Tensor): Tensor {
    return ops.maximum(this, other)
  }
  minimum(other: Tensor): Tensor {
    return ops.minimum(this, other)
  }
  eq(other: Operand): Tensor {
    return ops.eq(this, other)
  }
  ne(other: Operand): Tensor {
    return ops.ne(this, other)
  }
  lt(other: Operand): Tensor {
    return ops.lt(this, other)
  }
  le(other: Operand): Tensor {
    return ops.le(this, other)
  }
  gt(other: Operand): Tensor {
    return ops.gt(this, other)
  }
  ge(other: Operand): Tensor {
    return ops.ge(this, other)
  }
  isfinite(): Tensor {
    return ops.isfinite(this)
  }
  logicalNot(): Tensor {
    return ops.logicalNot(this)
  }
  softmax(dim: number): Tensor {
    return ops.softmax(this, dim)
  }
  logSoftmax(dim: number): Tensor {
    return ops.logSoftmax(this, dim)
  }
  /** this <- this + weight * (end - this) */
  lerp_(end: Tensor, weight: number): this {
    return ops.lerpInPlace(this, end, weight)
  }
  copy_(source: Tensor): this {
    return ops.copyInPlace(this, source)
  }
  fill_(value: number): this {
    return ops.fillInPlace(this, value)
  }
  zero_(): this {
    return ops.zeroInPlace(this)
  }
  normal_(mean = 0, std = 1, generator: Generator | null = null): this {
    return ops.normalInPlace(this, mean, std, generator)
  }
  uniform_(from = 0, to = 1, generator: Generator | null = null): this {
    return ops.uniformInPlace(this, from, to, generator)
  }
  /** Adds the slices of `source` at positions `index` of dimension `dim`. */
  indexAdd_(dim: number, index: Tensor, source: Tensor): this {
    return ops.indexAddInPlace(this, dim, index, source)
  }

  // --- reductions ---------------------------------------------------------------------------------
  sum(dims: Dims | null = null, keepDim = false): Tensor {
    return dims === null ? ops.sumAll(this) : ops.sumDims(this, list(dims), keepDim)
  }
  mean(dims: Dims | null = null, keepDim = false): Tensor {
    return dims === null ? ops.meanAll(this) : ops.meanDims(this, list(dims), keepDim)
  }
  var(dims: Dims, unbiased = true, keepDim = false): Tensor {
    return ops.varDims(this, list(dims), unbiased, keepDim)
  }
  /** The 2-norm, or the norm of order `p`. */
  norm(p = 2, dims: Dims | null = null, keepDim = false): Tensor {
    return ops.normAll(this, p, list(dims), keepDim)
  }
  max(): Tensor {
    return ops.maxAll(this)
  }
  min(): Tensor {
    return ops.minAll(this)
  }
  argmax(dim: number | null = null, keepDim = false): Tensor {
    return ops.argmax(this, dim, keepDim)
  }
  /** The `k` largest values of a dimension and their positions, best first. */
  topk(k: number, dim = -1): [values: Tensor, indices: Tensor] {
    return ops.topk(this, k, dim) as [Tensor, Tensor]
  }
  sort(dim = -1, descending = false): [values: Tensor, indices: Tensor] {
    return ops.sort(this, dim, descending) as [Tensor, Tensor]
  }
  all(): Tensor {
    return ops.all(this)
  }
  any(): Tensor {
    return ops.any(this)
  }
  cumsum(dim: number): Tensor {
    return ops.cumsum(this, dim)
  }

  // --- products and shapes ------------------------------------------------------------------------
  matmul(other: Tensor): Tensor {
    return ops.matmul(this, other)
  }
  t(): Tensor {
    return ops.t(this)
  }
  transpose(dim0: number, dim1: number): Tensor {
    return ops.transpose(this, dim0, dim1)
  }
  permute(...dims: number[]): Tensor {
    return ops.permute(this, dims)
  }
  reshape(...shape: number[]): Tensor {
    return ops.reshape(this, shape)
  }
  flatten(startDim = 0, endDim = -1): Tensor {
    return ops.flatten(this, startDim, endDim)
  }
  squeeze(dim: number): Tensor {
    return ops.squeeze(this, dim)
  }
  unsqueeze(dim: number): Tensor {
    return ops.unsqueeze(this, dim)
  }
  expand(...shape: number[]): Tensor {
    return ops.expand(this, shape)
  }
  repeat(...times: number[]): Tensor {
    return ops.repeat(this, times)
  }
  /** Elements `start` (included) to `end` (excluded) of a dimension, as a view. */
  slice(dim: number, start: number, end: number | null = null, step = 1): Tensor {
    return ops.slice(this, dim, start, end, step)
  }
  select(dim: number, index: number): Tensor {
    return ops.select(this, dim, index)
  }
  narrow(dim: number, start: number, length: number): Tensor {
    return ops.narrow(this, dim, start, length)
  }
  indexSelect(dim: number, index: Tensor): Tensor {
    return ops.indexSelect(this, dim, index)
  }
  gather(dim: number, index: Tensor): Tensor {
    return ops.gather(this, dim, index)
  }
  split(size: number, dim = 0): Tensor[] {
    return ops.split(this, size, dim)
  }

  // --- copies and conversions ---------------------------------------------------------------------
  contiguous(format: MemoryFormat = 'contiguous'): Tensor {
    return ops.contiguous(this, memoryFormats[format])
  }
  clone(): Tensor {
    return ops.clone(this)
  }
  /** The same data, cut from the graph. */
  detach(): Tensor {
    return ops.detach(this)
  }
  /** A copy with another dtype, device or memory format; the tensor itself when it has them already. */
  to(
    target:
      | { dtype?: DType; device?: Device; memoryFormat?: MemoryFormat; nonBlocking?: boolean }
      | DType
      | Device,
  ): Tensor {
    const {
      dtype,
      device,
      memoryFormat,
      nonBlocking = false,
    } = typeof target === 'object' ? target : named(target)
    const format = memoryFormat ? memoryFormats[memoryFormat] : memoryFormats.preserve
    const same =
      (!dtype || dtype === this.dtype) &&
      (!device || sameDevice(device, this.device)) &&
      (!memoryFormat || memoryFormat === 'preserve' || this.isContiguous(memoryFormat))
    if (same) return this
    return ops.convert(
      this,
      dtype ? dtypes[dtype].code : null,
      null,
      device ?? null,
      null,
      nonBlocking,
      format,
    )
  }
  /** A copy in page-locked memory, from which `to('cuda', { nonBlocking })` overlaps with computation. */
  pinMemory(): Tensor {
    return ops.pinMemory(this)
  }
  override toFloat32Array(): Float32Array {
    if (this.dtype === 'float32') return this.toTypedArray() as Float32Array
    using detached = ops.detach(this)
    using converted = ops.convert(detached, dtypes.float32.code)
    return converted.toTypedArray() as Float32Array
  }

  // --- autograd -----------------------------------------------------------------------------------
  /** The accumulated gradient of a leaf, as a new object over the same memory; null when there is none. */
  get grad(): Tensor | null {
    const handle = native().grad(this.handle)
    return handle === null ? null : new Tensor(handle)
  }
  set grad(gradient: Tensor | null) {
    native().setGrad(this.handle, gradient ? gradient.handle : null)
  }
  /** Accumulates d this / d leaf into every leaf's `grad`; `gradient` defaults to 1 for a scalar. */
  backward(gradient?: Tensor, options: { retainGraph?: boolean } = {}): void {
    native().backward([this.handle], gradient ? [gradient.handle] : null, options.retainGraph ?? false)
  }

  override toString(): string {
    if (this.isDisposed) return 'Tensor(disposed)'
    return `Tensor([${this.shape.join(', ')}], ${this.dtype}, ${this.device})`
  }
}

/** A tensor that a module trains: a leaf that requires a gradient and lives until its module does. */
export class Parameter extends Tensor {
  /** Takes over `tensor`, or what it holds now if a graph computed it; its own object ends. */
  constructor(tensor: Tensor) {
    const leaf = tensor.isLeaf ? tensor : tensor.detach()
    const handle = leaf.forget()
    tensor.dispose()
    super(handle)
    this.persist()
    this.requiresGrad = true
  }
}

function named(target: DType | Device): {
  dtype?: DType
  device?: Device
  memoryFormat?: MemoryFormat
  nonBlocking?: boolean
} {
  return target in dtypes ? { dtype: target as DType } : { device: target as Device }
}

const sameDevice = (a: Device, b: Device) => a === b || (a === 'cuda' && b === 'cuda:0')

setTensorFactory((handle) => new Tensor(handle))
