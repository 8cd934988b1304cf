/** What the header of an array in numpy's format says. */
export interface NpyArray {
  /** Of the elements, as `<f4`, `|b1` or `|O`. */
  readonly descr: string
  /** Whether the first index runs fastest. */
  readonly fortran: boolean
  readonly shape: readonly number[]
  /** Where the elements begin, in bytes. */
  readonly dataStart: number
}

const MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59) // \x93NUMPY
/** Bytes before the text of a header, in its longer form. */
export const NPY_PREFIX = 12

const HEADER =
  /^\{'descr': '([<|>=][a-zA-Z]\d*)', 'fortran_order': (True|False), 'shape': \(((?:\d+, ?)*\d*,?)\),? ?\}\s*$/

/** Where the elements begin, by an array's first 12 bytes; undefined: it is no array. */
export function npyDataStart(bytes: Uint8Array): number | undefined {
  if (bytes.length < NPY_PREFIX || MAGIC.some((byte, i) => bytes[i] !== byte)) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return bytes[6] === 1 ? 10 + view.getUint16(8, true) : NPY_PREFIX + view.getUint32(8, true)
}

/** Reads the header of an array; a text: it is not understood. Only plain elements of one kind are. */
export function parseNpyHeader(bytes: Uint8Array): NpyArray | string {
  const dataStart = npyDataStart(bytes)
  if (dataStart === undefined) return ''
  const text = new TextDecoder('latin1').decode(bytes.subarray(bytes[6] === 1 ? 10 : NPY_PREFIX, dataStart))
  const [, descr, fortran, sizes] = HEADER.exec(text) ?? []
  if (descr === undefined || dataStart > bytes.length) return text
  const shape = (sizes?.match(/\d+/g) ?? []).map(Number)
  return { descr, fortran: fortran === 'True', shape, dataStart }
}
