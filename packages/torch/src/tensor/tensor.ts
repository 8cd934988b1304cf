import { setTensorFactory } from '../dispatch.js'
import { type Device, type DType, dtypes, type MemoryFormat, memoryFormats } from '../dtype.js'
import { native } from '../native.js'
import * as ops from '../ops.js'
import { ShapedTensor } from './shapes.js'

/**
 * A libtorch tensor. Methods follow PyTorch's names in camelCase; a trailing underscore writes the tensor
 * itself. (One class in a chain of files: core, elementwise, reductions, shapes, and copies and autograd here.)
 * @throws Error `ERR_DISPOSED` on use after disposal, `ERR_TORCH` with libtorch's message on bad shapes.
 */
export class Tensor extends ShapedTensor {
  /** With its elements in the order of `format` without gaps: a copy unless it is so already. */
  contiguous(format: MemoryFormat = 'contiguous'): Tensor {
    return ops.contiguous(this, memoryFormats[format])
  }

  /** A copy of its own memory, in the graph. */
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

  /** A copy of the elements as float32, whatever the dtype. */
  override toFloat32Array(): Float32Array {
    if (this.dtype === 'float32') return this.toTypedArray() as Float32Array
    using detached = ops.detach(this)
    using converted = ops.convert(detached, dtypes.float32.code)
    return converted.toTypedArray() as Float32Array
  }

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

  /** Its shape, dtype and device: `Tensor([2, 3], float32, cpu)`. */
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
