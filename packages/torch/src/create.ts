import { tensorOp } from './dispatch.js'
import { type Device, type DType, dtypeOfArray, dtypes } from './dtype.js'
import type { Generator } from './generator.js'
import { native } from './native.js'
import * as ops from './ops.js'
import { Tensor } from './tensor/tensor.js'

/** What a factory takes beside the shape; float32 on the CPU without gradient unless said. */
export interface TensorOptions {
  dtype?: DType
  device?: Device
  requiresGrad?: boolean
}

type Nested = number | boolean | readonly Nested[]

const aten = {
  empty: tensorOp('aten::empty', 'memory_format'),
  full: tensorOp('aten::full'),
  arange: tensorOp('aten::arange', 'start_step'),
  linspace: tensorOp('aten::linspace'),
  eye: tensorOp('aten::eye'),
  randperm: tensorOp('aten::randperm', 'generator'),
  randint: tensorOp('aten::randint', 'low_generator'),
  oneHot: tensorOp('aten::one_hot'),
}

function finish(tensor: Tensor, { dtype, device, requiresGrad }: TensorOptions): Tensor {
  const result = dtype || device ? tensor.to({ dtype, device } as object) : tensor
  if (result !== tensor) tensor.dispose()
  if (requiresGrad) result.requiresGrad = true
  return result
}

const code = (options: TensorOptions) => dtypes[options.dtype ?? 'float32'].code

function shapeOf(data: Nested): number[] {
  const shape: number[] = []
  for (let level = data; Array.isArray(level); level = level[0] as Nested) {
    shape.push(level.length)
    if (level.length === 0) break
  }
  return shape
}

function flattenInto(data: Nested, shape: number[], depth: number, out: number[]): void {
  if (depth === shape.length) {
    if (typeof data === 'object') throw new TypeError('tensor: the nested arrays differ in depth')
    out.push(Number(data))
    return
  }
  if (!Array.isArray(data) || data.length !== shape[depth])
    throw new TypeError(`tensor: a row of dimension ${depth} does not have ${shape[depth]} elements`)
  for (const item of data) flattenInto(item as Nested, shape, depth + 1, out)
}

/**
 * A tensor of nested arrays of numbers, copied: `tensor([[1, 2], [3, 4]])`.
 * @throws TypeError when the rows differ in length.
 */
export function tensor(data: Nested, options: TensorOptions = {}): Tensor {
  const shape = shapeOf(data)
  const values: number[] = []
  flattenInto(data, shape, 0, values)
  const { dtype = 'float32' } = options
  const doubles = fromTypedArray(Float64Array.from(values), shape)
  return finish(doubles, { ...options, dtype })
}

/**
 * A tensor over the elements of a typed array, row-major, copied. With `share` a view of a
 * SharedArrayBuffer is used in place, without a copy, and held until the tensor is released.
 * @throws Error `ERR_ARGUMENT` when the byte lengths differ, or `share` is asked of an ArrayBuffer; TypeError when
 * `share` is asked with a dtype or device that would need a copy.
 */
export function fromTypedArray(
  data: ArrayBufferView,
  shape: readonly number[],
  options: TensorOptions & { share?: boolean } = {},
): Tensor {
  const stored =
    options.dtype && dtypes[options.dtype].array === data.constructor ? options.dtype : dtypeOfArray(data)
  const { share = false, dtype = stored, device = 'cpu' } = options
  if (share && (dtype !== stored || device !== 'cpu'))
    throw new TypeError(
      `fromTypedArray: a ${data.constructor.name} cannot be shared as ${dtype} on ${device}`,
    )
  const made = new Tensor(native().fromBytes(data, dtypes[stored].code, shape, share))
  return finish(made, options)
}

/** Uninitialised memory. */
export function empty(shape: readonly number[], options: TensorOptions = {}): Tensor {
  return finish(aten.empty(shape, code(options), null, options.device ?? null), {
    requiresGrad: options.requiresGrad,
  })
}

/** All elements `value`. */
export function full(shape: readonly number[], value: number, options: TensorOptions = {}): Tensor {
  const made = aten.full(shape, value, code(options), null, options.device ?? null)
  return finish(made, { requiresGrad: options.requiresGrad })
}

/** All elements 0. */
export const zeros = (shape: readonly number[], options?: TensorOptions): Tensor => full(shape, 0, options)
/** All elements 1. */
export const ones = (shape: readonly number[], options?: TensorOptions): Tensor => full(shape, 1, options)

/** `start`, `start + step`, ... below `end`. */
export function arange(start: number, end: number, step = 1, options: TensorOptions = {}): Tensor {
  const made = aten.arange(start, end, step, code(options), null, options.device ?? null)
  return finish(made, { requiresGrad: options.requiresGrad })
}

/** `steps` values in equal distances from `start` to `end`, both included. */
export function linspace(start: number, end: number, steps: number, options: TensorOptions = {}): Tensor {
  const made = aten.linspace(start, end, steps, code(options), null, options.device ?? null)
  return finish(made, { requiresGrad: options.requiresGrad })
}

/** The identity matrix [n, n]. */
export function eye(n: number, options: TensorOptions = {}): Tensor {
  const made = aten.eye(n, code(options), null, options.device ?? null)
  return finish(made, { requiresGrad: options.requiresGrad })
}

type DrawOptions = TensorOptions & { generator?: Generator }

/** New memory filled by `fill`; on the CPU first when there is a generator, which is a CPU one. */
function draw(
  shape: readonly number[],
  { generator, dtype, device, requiresGrad }: DrawOptions,
  fill: (memory: Tensor, generator: Generator | null) => Tensor,
): Tensor {
  const memory = empty(shape, { dtype, device: generator ? 'cpu' : device } as TensorOptions)
  return finish(fill(memory, generator ?? null), { device, requiresGrad } as TensorOptions)
}

/** Standard normal values; drawn on the CPU when a generator is given. */
export const randn = (shape: readonly number[], options: DrawOptions = {}): Tensor =>
  draw(shape, options, (memory, generator) => memory.normal_(0, 1, generator))

/** Uniform values in [0, 1). */
export const rand = (shape: readonly number[], options: DrawOptions = {}): Tensor =>
  draw(shape, options, (memory, generator) => memory.uniform_(0, 1, generator))

/** Uniform int64 values in [low, high). */
export function randint(
  low: number,
  high: number,
  shape: readonly number[],
  generator: Generator | null = null,
): Tensor {
  return aten.randint(low, high, shape, generator, dtypes.int64.code)
}

/** A random permutation of 0..n-1, int64. */
export function randperm(n: number, generator: Generator | null = null): Tensor {
  return aten.randperm(n, generator, dtypes.int64.code)
}

/** Joins tensors along an existing dimension. */
export const cat = (tensors: readonly Tensor[], dim = 0): Tensor => ops.cat(tensors, dim)

/** Joins tensors of one shape along a new dimension. */
export const stack = (tensors: readonly Tensor[], dim = 0): Tensor => ops.stack(tensors, dim)

/** Elements of `a` where the condition holds, of `b` elsewhere. */
export const where = (condition: Tensor, a: Tensor, b: Tensor): Tensor => ops.where(condition, a, b)

/** int64 labels [N] to 0/1 rows [N, classes]. */
export const oneHot = (labels: Tensor, classes: number): Tensor => aten.oneHot(labels, classes)
