import { npyDataStart, parseNpyHeader } from '../checkpoints/npy.js'
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

/**
 * Reads the header of an array in numpy's format, of which `bytes` are the beginning.
 * @throws TrexError for other files, Fortran order, and element types that are not read; `name` is what it calls them.
 */
export function readNpyHeader(bytes: Uint8Array, name: string): NpyHeader {
  if (npyDataStart(bytes) === undefined)
    throw new TrexError(`${name} is no .npy array`, { hint: 'save it with numpy.save or numpy.savez' })
  const header = parseNpyHeader(bytes)
  if (typeof header === 'string')
    throw new TrexError(`the header of ${name} is not understood: ${header.slice(0, 100)}`, {
      hint: 'save plain arrays of numbers',
    })
  const { descr, fortran, shape, dataStart } = header
  if (fortran)
    throw new TrexError(`${name} is in Fortran order`, { hint: 'save numpy.ascontiguousarray(array)' })
  if (!/^(<f[48]|<i[48]|\|u1|\|S\d+)$/.test(descr))
    throw new TrexError(`${name} has elements of type ${descr}`, {
      hint: "save features as '<f4' (array.astype('float32')) and labels as '<i8'",
    })
  if (!shape.every(Number.isSafeInteger)) throw new TrexError(`${name} has shape (${shape})`)
  return { type: descr as NpyType, shape, dataStart }
}

/** Bytes of an element. */
export const npyItemBytes = (type: NpyType): number => Number(/\d+$/.exec(type)![0])
