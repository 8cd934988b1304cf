/** A TIFF directory: its entries by tag. */
export type Ifd = ReadonlyMap<number, IfdEntry>

/** One entry of a TIFF directory. */
export interface IfdEntry {
  /** TIFF's type number: 3 is short, 4 long, ... */
  readonly type: number
  /** Its values as they are stored, not copied. */
  readonly bytes: Uint8Array
  /** The first values, `limit` at most: whole numbers of types that hold such, else the bytes one by one. */
  values(limit?: number): number[]
}

/** Bytes of one value, by TIFF's type number. */
const SIZES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8]
const SHORT = 3
const SIGNED = [6, 8, 9]
const WIDE = [16, 17, 18]
/** An entry that claims more values is not followed. */
const MAX_VALUES = 1 << 20
/** Entries after these are not looked at. */
const MAX_ENTRIES = 4096
/** A value for each sample of a pixel, and more, is enough of most tags. */
const FEW_VALUES = 16

/**
 * Reads the first directory of TIFF data (a file, or what EXIF holds), BigTIFF included; entries that reach outside of
 * the data are left out. Values are read when asked for: what is done here does not grow with what a file claims. Null
 * if there is no directory.
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
  const count = Math.min(MAX_ENTRIES, big ? offsetAt(start) : view.getUint16(start, little))

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
    const bytes = data.subarray(from, from + size * length)
    entries.set(view.getUint16(at, little), {
      type,
      bytes,
      values: (limit = FEW_VALUES) => numbers(bytes, type, size, little, limit),
    })
  }
  return entries
}

function numbers(bytes: Uint8Array, type: number, size: number, little: boolean, limit: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const step = type >= SHORT && (size === 2 || size === 4 || WIDE.includes(type)) ? size : 1
  const valueAt = (at: number): number => {
    if (WIDE.includes(type)) return Number(view.getBigUint64(at, little))
    if (size === 2) return SIGNED.includes(type) ? view.getInt16(at, little) : view.getUint16(at, little)
    if (size === 4) return SIGNED.includes(type) ? view.getInt32(at, little) : view.getUint32(at, little)
    return bytes[at]!
  }
  return Array.from({ length: Math.min(limit, bytes.length / step) }, (_, k) => valueAt(k * step))
}
