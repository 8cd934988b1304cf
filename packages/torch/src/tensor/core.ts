import {
  type Device,
  type DType,
  dtypeOfCode,
  dtypes,
  type MemoryFormat,
  memoryFormats,
  type TypedArray,
} from '../dtype.js'
import { Handle } from '../handle.js'
import { native } from '../native.js'
import { keep, track, untrack } from '../tidy.js'

/** Lifetime, metadata and data of a tensor; the operators are added by the classes that extend it. */
export abstract class TensorCore extends Handle {
  /** `scoped`: released with its tidy scope; `collected`: by the garbage collector. Either way by `dispose`. */
  lifetime: 'scoped' | 'collected' = 'scoped'
  // Plain fields: engine-private ones (#) cost a microsecond per tensor.
  private knownShape: readonly number[] | undefined = undefined
  private knownDtype: DType | undefined = undefined

  constructor(handle: number) {
    super(handle)
    track(this)
  }

  /** The sizes of the dimensions. */
  get shape(): readonly number[] {
    return (this.knownShape ??= Object.freeze(native().shape(this.handle)))
  }

  /** The element type. */
  get dtype(): DType {
    return (this.knownDtype ??= dtypeOfCode(native().dtype(this.handle)))
  }

  /** Where the elements lie. */
  get device(): Device {
    return native().device(this.handle) as Device
  }

  /** The number of dimensions. */
  get dim(): number {
    return this.shape.length
  }

  /** The number of elements. */
  get numel(): number {
    return this.shape.reduce((product, size) => product * size, 1)
  }

  /** How many elements apart in memory neighbours of each dimension are. */
  get strides(): readonly number[] {
    return native().strides(this.handle)
  }

  /** The size of dimension `dim`; negative counts from the end. */
  size(dim: number): number {
    const size = this.shape.at(dim)
    if (size === undefined) throw new RangeError(`a tensor of shape [${this.shape}] has no dimension ${dim}`)
    return size
  }

  /** Whether the elements lie in the order of `format` without gaps. */
  isContiguous(format: MemoryFormat = 'contiguous'): boolean {
    return native().isContiguous(this.handle, memoryFormats[format])
  }

  /** Whether it lies in page-locked memory, from which copies to CUDA overlap with computation. */
  get isPinned(): boolean {
    return native().isPinned(this.handle)
  }

  /** Whether the native tensor was released or handed on. */
  get isDisposed(): boolean {
    return this.handle === 0
  }

  /** Releases the native tensor now; later uses throw `ERR_DISPOSED`. Harmless when already disposed. */
  dispose(): void {
    if (this.handle === 0) return
    untrack(this)
    native().dispose(this.handle)
    this.handle = 0
  }

  /** `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  /** A copy of the elements, row-major; float16 and bfloat16 come as raw 16-bit words. */
  toTypedArray(): TypedArray {
    const array = new dtypes[this.dtype].array(this.numel)
    this.copyInto(array)
    return array
  }

  /** Copies the elements, row-major, over the bytes of a view of the same byte length. @throws Error `ERR_ARGUMENT` */
  copyInto(view: ArrayBufferView): void {
    native().copyOut(this.handle, view)
  }

  /** A copy of the elements as float32, whatever the dtype. */
  abstract toFloat32Array(): Float32Array

  /**
   * The elements without a copy; the tensor is disposed, since two owners could free one memory.
   * @throws Error `ERR_ARGUMENT` unless it is a contiguous CPU tensor whose memory nothing else refers to.
   */
  moveToTypedArray(): TypedArray {
    const { array } = dtypes[this.dtype]
    const result = new array(native().moveOut(this.handle))
    this.forget()
    return result
  }

  /** Overwrites the elements with those of a typed array of the same byte length, row-major. */
  setData(data: ArrayBufferView): this {
    native().copyIn(this.handle, data)
    return this
  }

  /** The value of a one-element tensor; bigint only beyond 2^53. Waits for the device. */
  item(): number {
    const value = native().item(this.handle)
    return typeof value === 'boolean' ? Number(value) : (value as number)
  }

  /** Whether operations on it are recorded, so that `backward` reaches it; can be set on leaves only. */
  get requiresGrad(): boolean {
    return native().requiresGrad(this.handle)
  }

  set requiresGrad(flag: boolean) {
    native().setRequiresGrad(this.handle, flag)
  }

  /** Whether no recorded operation made it. */
  get isLeaf(): boolean {
    return native().isLeaf(this.handle)
  }

  /** Ends this object without releasing the native tensor, and returns its handle: ownership moves on. */
  forget(): number {
    const { handle } = this
    untrack(this)
    this.handle = 0
    return handle
  }

  /** Takes the tensor out of its tidy scope (see `keep`). */
  persist(): this {
    return keep(this)
  }

  /** Puts another native tensor in this object's place, whose own object ends; for `Module.to`. */
  adopt(other: TensorCore): void {
    const { requiresGrad } = this
    untrack(this)
    native().dispose(this.handle)
    this.handle = other.forget()
    this.lifetime = 'scoped'
    this.knownShape = undefined
    this.knownDtype = undefined
    if (requiresGrad) this.requiresGrad = true
    keep(this)
  }
}
