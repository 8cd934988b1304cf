/** Element types, in PyTorch's names. */
export type DType =
  | 'uint8'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float16'
  | 'float32'
  | 'float64'
  | 'bool'
  | 'bfloat16'

/** Where a tensor lives. */
export type Device = 'cpu' | 'cuda' | `cuda:${number}`

/** How the elements of an image batch lie in memory: NCHW or NHWC. */
export type MemoryFormat = 'contiguous' | 'preserve' | 'channelsLast'

/** Typed arrays that tensors are made of and read into. */
export type TypedArray =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint16Array
  | Float32Array
  | Float64Array

type ArrayType = { new (length: number): TypedArray; new (buffer: ArrayBufferLike): TypedArray }

interface DTypeInfo {
  code: number // c10::ScalarType
  bytes: number
  array: ArrayType
  floating: boolean
}

const info = (code: number, bytes: number, array: unknown, floating = false): DTypeInfo => ({
  code,
  bytes,
  array: array as ArrayType,
  floating,
})

/** Code, item size and typed array of each dtype; float16 and bfloat16 are read as raw 16-bit words. */
export const dtypes: Record<DType, DTypeInfo> = {
  uint8: info(0, 1, Uint8Array),
  int8: info(1, 1, Int8Array),
  int16: info(2, 2, Int16Array),
  int32: info(3, 4, Int32Array),
  int64: info(4, 8, BigInt64Array),
  float16: info(5, 2, Uint16Array, true),
  float32: info(6, 4, Float32Array, true),
  float64: info(7, 8, Float64Array, true),
  bool: info(11, 1, Uint8Array),
  bfloat16: info(15, 2, Uint16Array, true),
}

const names = new Map(Object.entries(dtypes).map(([name, { code }]) => [code, name as DType]))

/** The dtype of a c10::ScalarType code. */
export function dtypeOfCode(code: number): DType {
  const name = names.get(code)
  if (!name) throw new TypeError(`libtorch's scalar type ${code} has no TypeScript counterpart`)
  return name
}

/** The dtype that a typed array holds. */
export function dtypeOfArray(array: ArrayBufferView): DType {
  if (array instanceof Float32Array) return 'float32'
  if (array instanceof Float64Array) return 'float64'
  if (array instanceof BigInt64Array) return 'int64'
  if (array instanceof Int32Array) return 'int32'
  if (array instanceof Int16Array) return 'int16'
  if (array instanceof Int8Array) return 'int8'
  if (array instanceof Uint8Array || array instanceof Uint8ClampedArray) return 'uint8'
  throw new TypeError(`no dtype holds the elements of a ${array.constructor.name}`)
}

/** c10::MemoryFormat codes. */
export const memoryFormats: Record<MemoryFormat, number> = { contiguous: 0, preserve: 1, channelsLast: 2 }
