/** A TIFF directory: its entries by tag. */
export type Ifd = ReadonlyMap<number, IfdEntry>

/** One entry of a TIFF directory. */
export interface IfdEntry {
  /** TIFF's type number: 3 is short, 4 long, ... */
  readonly type: number
  /** Whole numbers of types that hold such, else the bytes one by one. */
  readonly values: readonly number[]
}

/** Bytes of one value, by TIFF's type number. */
const SIZES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8]
const SHORT = 3
const SIGNED = [6, 8, 9]
const WIDE = [16, 17, 18]
/** Values past these are of no use here; a directory that claims more is not followed. */
const MAX_VALUES = 1 << 20

/**
 * Reads the first directory of TIFF data (a file, or what EXIF holds), BigTIFF included; entries that reach outside of
 * the data are left out. Null if there is no directory.
 */
export function readIfd(data: Uint8Array): Ifd | null {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  if (data.length < 8) return null
  const order = view.getUint16(0)
  if (order !== 0x4949 && order !== 0x4d4d) return null
  const little = order === 0x4949
  const big = view.getUint16(2, little) === 43
  const offsetAt = (at: number) => (big ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little))
  const [entryBytes, countBytes] = big ? [20, 8] : [12, 2]
  if (big && data.length < 16) return null
  const start = offsetAt(big ? 8 : 4)
  if (start + countBytes > data.length) return null
  const count = big ? offsetAt(start) : view.getUint16(start, little)

  const entries = new Map<number, IfdEntry>()
  for (let i = 0; i < count; i++) {
    const at = start + countBytes + i * entryBytes
    if (at + entryBytes > data.length) break
    const type = view.getUint16(at + 2, little)
    const length = offsetAt(at + 4)
    const size = SIZES[type] ?? 0
    const field = at + (big ? 12 : 8)
    const from = size * length <= (big ? 8 : 4) ? field : offsetAt(field)
    if (size === 0 || length > MAX_VALUES || from + size * length > data.length) continue
    const valueAt = (place: number): number => {
      if (WIDE.includes(type)) return Number(view.getBigUint64(place, little))
      if (size === 2)
        return SIGNED.includes(type) ? view.getInt16(place, little) : view.getUint16(place, little)
      if (size === 4)
        return SIGNED.includes(type) ? view.getInt32(place, little) : view.getUint32(place, little)
      return data[place]!
    }
    const step = type >= SHORT && (size === 2 || size === 4 || WIDE.includes(type)) ? size : 1
    const values = Array.from({ length: (size * length) / step }, (_, k) => valueAt(from + k * step))
    entries.set(view.getUint16(at, little), { type, values })
  }
  return entries
}
