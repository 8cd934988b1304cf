import { TrexError } from '../errors.js'

/** Element types of `.npy` files that are read and written: numpy's names of little-endian ones, and bytes `S`. */
export type NpyType = '<f4' | '<f8' | '<i8' | '<i4' | '|u1' | `|S${number}`

/** What the header of an array in numpy's format says. */
export interface NpyHeader {
  readonly type: NpyType
  readonly shape: readonly number[]
  /** Where the elements begin, in bytes. */
  readonly dataStart: number
}

const MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59) // \x93NUMPY
const ALIGN = 64

/** The header of format 1.0 for a row-major array. */
export function npyHeader(type: NpyType, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`
  const length = Math.ceil((MAGIC.length + 4 + text.length + 1) / ALIGN) * ALIGN
  const bytes = new Uint8Array(length).fill(0x20)
  bytes.set(MAGIC)
  bytes.set([1, 0], MAGIC.length)
  new DataView(bytes.buffer).setUint16(8, length - 10, true)
  bytes.set(new TextEncoder().encode(text), 10)
  bytes[length - 1] = 0x0a
  return bytes
}

const HEADER =
  /^\{'descr': '([<|>=][a-zA-Z]\d+)', 'fortran_order': (True|False), 'shape': \(((?:\d+, ?)*\d*,?)\),? ?\}\s*$/

/**
 * Reads the header of an array in numpy's format, of which `bytes` are the beginning.
 * @throws TrexError for other files, Fortran order, and element types that are not read; `name` is what it calls them.
 */
export function readNpyHeader(bytes: Uint8Array, name: string): NpyHeader {
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte))
    throw new TrexError(`${name} is no .npy array`, { hint: 'save it with numpy.save or numpy.savez' })
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [start, length] = bytes[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)]
  const text = new TextDecoder('latin1').decode(bytes.subarray(start, start + length))
  const [, type, fortran, sizes] = HEADER.exec(text) ?? []
  if (type === undefined || start + length > bytes.length)
    throw new TrexError(`the header of ${name} is not understood: ${text.slice(0, 100)}`, {
      hint: 'save plain arrays of numbers',
    })
  if (fortran === 'True')
    throw new TrexError(`${name} is in Fortran order`, { hint: 'save numpy.ascontiguousarray(array)' })
  if (!/^(<f[48]|<i[48]|\|u1|\|S\d+)$/.test(type))
    throw new TrexError(`${name} has elements of type ${type}`, {
      hint: "save features as '<f4' (array.astype('float32')) and labels as '<i8'",
    })
  const shape = (sizes?.match(/\d+/g) ?? []).map(Number)
  if (!shape.every(Number.isSafeInteger)) throw new TrexError(`${name} has shape (${sizes})`)
  return { type: type as NpyType, shape, dataStart: start + length }
}

/** Bytes of an element. */
export const npyItemBytes = (type: NpyType): number => Number(/\d+$/.exec(type)![0])
