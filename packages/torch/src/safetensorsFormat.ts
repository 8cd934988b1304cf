import {
  byteSize,
  encodeHeader,
  headerLength,
  ITEM_SIZES,
  PREFIX_BYTES,
  parseHeader,
  type RawDtype,
  type SafetensorsEntry,
  SafetensorsError,
  type SafetensorsHeader,
} from './safetensorsHeader.js'

// The format without any file: a browser imports this.

export {
  headerLength,
  ITEM_SIZES,
  PREFIX_BYTES,
  parseHeader,
  type RawDtype,
  type SafetensorsEntry,
  SafetensorsError,
  type SafetensorsHeader,
}

/** A tensor outside of any engine: `data` holds its elements row by row, little-endian. */
export interface RawTensor {
  readonly dtype: RawDtype
  readonly shape: readonly number[]
  readonly data: Uint8Array
}

/**
 * A tensor to write; a function as `data` is called when its turn comes, so that one tensor at a time is in
 * memory, or, where it gives pieces, one of these.
 */
export interface TensorSource {
  readonly name: string
  readonly dtype: RawDtype
  readonly shape: readonly number[]
  readonly data: Uint8Array | (() => Uint8Array | Iterable<Uint8Array>)
}

/** A safetensors file or buffer whose header has been checked. */
export interface SafetensorsReader extends SafetensorsHeader {
  /** Reads one tensor. @throws SafetensorsError when there is no such tensor or the file cannot be read. */
  read(name: string): RawTensor
  /**
   * Reads the bytes of one tensor into `target`, which must have exactly their size.
   * @throws SafetensorsError
   */
  readInto(name: string, target: ArrayBufferView): void
  close(): void
  [Symbol.dispose](): void
}

/** An element array over raw bytes; F16 and BF16 come as their 16 bits, F8 and BOOL as bytes. */
export type RawArray =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array

const ARRAYS = {
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I16: Int16Array,
  U16: Uint16Array,
  F8_E4M3: Uint8Array,
  F8_E5M2: Uint8Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const satisfies Record<RawDtype, unknown>

/**
 * A reader over the bytes of a whole file; tensors it reads are views of `bytes`, not copies.
 * @throws SafetensorsError when the content is wrong; `source` names it there.
 */
export function parseSafetensors(bytes: Uint8Array, source = 'safetensors bytes'): SafetensorsReader {
  const length = headerLength(bytes.subarray(0, PREFIX_BYTES), bytes.byteLength, source)
  const dataStart = PREFIX_BYTES + length
  const header = parseHeader(bytes.subarray(PREFIX_BYTES, dataStart), bytes.byteLength - dataStart, source)
  const read = (name: string) => {
    const { dtype, shape, begin, end } = entryOf(header, name, source)
    return { dtype, shape, data: bytes.subarray(dataStart + begin, dataStart + end) }
  }
  const readInto = (name: string, target: ArrayBufferView) => {
    const { data } = read(name)
    if (target.byteLength !== data.byteLength) {
      const what = `takes ${data.byteLength} bytes, the buffer has ${target.byteLength}`
      throw new SafetensorsError(source, what, { tensor: name })
    }
    bytesOf(target).set(data)
  }
  const close = () => {}
  return { ...header, read, readInto, close, [Symbol.dispose]: close }
}

/**
 * The content of a safetensors file, piece by piece: the header, then each tensor's bytes. Tensors are listed
 * in the order given and laid out by falling element size, so that each starts at a multiple of its element
 * size.
 * @throws SafetensorsError for names, shapes and data that do not go together; `file` names the target there.
 */
export function* safetensorsChunks(
  tensors: Iterable<TensorSource>,
  metadata: Readonly<Record<string, string>> = {},
  file = 'safetensors bytes',
): Generator<Uint8Array, void, void> {
  const sources = [...tensors]
  const layout = [...sources].sort((a, b) => ITEM_SIZES[b.dtype] - ITEM_SIZES[a.dtype])
  const entries = new Map<string, SafetensorsEntry>()
  for (const { name, dtype, shape } of sources) {
    if (entries.has(name)) throw new SafetensorsError(file, 'is given twice', { tensor: name })
    entries.set(name, { dtype, shape, begin: 0, end: byteSize(dtype, shape, file, name) })
  }
  let at = 0
  for (const { name } of layout) {
    const { dtype, shape, end: size } = entries.get(name)!
    entries.set(name, { dtype, shape, begin: at, end: (at += size) })
  }
  yield encodeHeader(entries, metadata, file)
  for (const { name, data } of layout) {
    const { dtype, shape, begin, end } = entries.get(name)!
    const content = typeof data === 'function' ? data() : data
    const pieces = content instanceof Uint8Array ? [content] : content
    let size = 0
    for (const bytes of pieces) {
      size += bytes.byteLength
      if (size <= end - begin) yield bytes
    }
    if (size !== end - begin) {
      const what = `${dtype} of shape [${shape}] takes ${end - begin} bytes, but has ${size}`
      throw new SafetensorsError(file, what, { tensor: name })
    }
  }
}

/**
 * The elements of a tensor: a view where the bytes are aligned, else a copy. Assumes a little-endian machine.
 */
export function typedArrayOf(raw: RawTensor): RawArray {
  const size = ITEM_SIZES[raw.dtype]
  const aligned = raw.data.byteOffset % size === 0
  const { buffer, byteOffset, byteLength } = aligned ? raw.data : new Uint8Array(raw.data)
  return new ARRAYS[raw.dtype](buffer as ArrayBuffer, byteOffset, byteLength / size)
}

/** All bytes of a view. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

/** Where a tensor lies. @throws SafetensorsError when there is none of that name. */
export function entryOf(header: SafetensorsHeader, name: string, file: string): SafetensorsEntry {
  const entry = header.entries.get(name)
  if (entry === undefined) throw new SafetensorsError(file, 'is not in the file', { tensor: name })
  return entry
}
