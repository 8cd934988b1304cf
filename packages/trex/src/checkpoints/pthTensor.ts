import type { RawDtype, RawTensor } from 'trex-torch/safetensors'
import type { ByteSource } from './byteSource.js'

/** A block of elements in a PyTorch file, that tensors are views of. */
export class PthStorage {
  constructor(
    /** Null: a kind of element that is not read. */
    readonly dtype: RawDtype | null,
    readonly key: string,
    /** How many elements it has. */
    readonly elements: number,
  ) {}
}

/** A tensor of a PyTorch file: where its elements lie in a storage. Its bounds have been checked. */
export class PthTensor {
  constructor(
    readonly dtype: RawDtype,
    readonly shape: readonly number[],
    readonly storage: PthStorage,
    /** Elements before the first. */
    readonly offset: number,
    /** Elements from one to the next along each dimension. */
    readonly strides: readonly number[],
  ) {}
}

const ITEM_BYTES: Partial<Record<RawDtype, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
}

/** Bytes of one element. */
export const itemBytes = (dtype: RawDtype): number => ITEM_BYTES[dtype]!

/** PyTorch has no tensor of more dimensions. */
const MAX_DIMS = 64
/** Bytes up to which a tensor may be larger than its storage, as one made by `expand` is. */
const MAX_REPEATED = 64 << 20

/**
 * A view of a storage, with its bounds checked.
 * @throws RangeError when it reaches outside of the storage, or repeats it into more than 64 MiB.
 */
export function checkedTensor(
  storage: PthStorage,
  offset: unknown,
  shape: readonly unknown[],
  strides: readonly unknown[],
): PthTensor {
  const { dtype, elements } = storage
  if (dtype === null) throw new RangeError('a tensor has elements of a kind that is not read')
  if (shape.length !== strides.length || shape.length > MAX_DIMS)
    throw new RangeError(`a tensor has ${shape.length} sizes and ${strides.length} strides`)
  if (!isCount(offset) || !shape.every(isCount) || !strides.every(isCount))
    throw new RangeError('a tensor has sizes, strides or an offset that are no counts')
  let [count, last] = [1, offset]
  for (const [i, size] of shape.entries()) {
    count *= size
    last += (size - 1) * strides[i]!
  }
  if (count > 0 && !(last < elements))
    throw new RangeError(`a tensor reaches to element ${last} of a storage of ${elements}`)
  const bytes = count * itemBytes(dtype)
  if (!(bytes <= Number.MAX_SAFE_INTEGER) || (count > elements && bytes > MAX_REPEATED))
    throw new RangeError(`a tensor of ${elements} stored elements has [${shape}]`)
  return new PthTensor(dtype, shape, storage, offset, strides)
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/** The elements row by row; `begin` is where the storage's bytes begin in the source. */
export function readElements(source: ByteSource, begin: number, tensor: PthTensor): RawTensor {
  const { dtype, shape, strides, offset } = tensor
  const bytes = itemBytes(dtype)
  const count = shape.reduce((product, size) => product * size, 1)
  if (count === 0) return { dtype, shape, data: new Uint8Array(0) }
  const span = shape.reduce((last, size, i) => last + (size - 1) * strides[i]!, 1)
  const stored = source.read(begin + offset * bytes, span * bytes)
  return { dtype, shape, data: inRowOrder(stored, bytes, shape, strides) }
}

/** Elements of so many bytes in the order of the shape, given as strides put them: themselves where that is the same. */
export function inRowOrder(
  stored: Uint8Array,
  bytes: number,
  shape: readonly number[],
  strides: readonly number[],
): Uint8Array {
  if (isRowMajor(shape, strides)) return stored
  const data = new Uint8Array(shape.reduce((product, size) => product * size, bytes))
  gather(wordsOf(stored, bytes), wordsOf(data, bytes), shape, strides)
  return data
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) return false
    expected *= shape[i]!
  }
  return true
}

type Words = Uint8Array | Uint16Array | Uint32Array | BigUint64Array

function wordsOf(bytes: Uint8Array, size: number): Words {
  const Words = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array }[size]!
  const own = bytes.byteOffset % size === 0 ? bytes : bytes.slice()
  return new Words(own.buffer as ArrayBuffer, own.byteOffset, own.byteLength / size)
}

/** Copies elements in the order of the shape, the last dimension in the inner loop. */
function gather(from: Words, to: Words, shape: readonly number[], strides: readonly number[]): void {
  const outer = shape.slice(0, -1)
  const index = outer.map(() => 0)
  const [size, stride] = [shape.at(-1)!, strides.at(-1)!]
  let start = 0
  for (let row = 0; row < to.length; row += size) {
    for (let i = 0; i < size; i++) to[row + i] = from[start + i * stride]!
    for (let d = outer.length - 1; d >= 0; d--) {
      start += strides[d]!
      if (++index[d]! < outer[d]!) break
      start -= outer[d]! * strides[d]!
      index[d] = 0
    }
  }
}
