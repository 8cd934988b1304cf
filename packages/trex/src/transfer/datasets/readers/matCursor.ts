/** Types of data elements, by their numbers in the format. */
export const INT8 = 1
export const UINT8 = 2
export const INT16 = 3
export const UINT16 = 4
export const INT32 = 5
export const UINT32 = 6
export const SINGLE = 7
export const DOUBLE = 9
export const INT64 = 12
export const UINT64 = 13
export const MATRIX = 14
export const COMPRESSED = 15
export const UTF8 = 16
export const UTF16 = 17

/** A data element: its type's number and its bytes, a view. */
export interface MatElement {
  readonly type: number
  readonly bytes: Uint8Array
}

/** Reads data elements in order, never past the end of its bytes. */
export interface MatCursor {
  readonly little: boolean
  atEnd(): boolean
  /** How many bytes are left. */
  left(): number
  /** The next element; `inside` another one, the last need not be padded. */
  element(inside: boolean): MatElement
}

/** A cursor over `bytes`, whose numbers are little-endian or not; `element` throws RangeError where they end. */
export function matCursor(bytes: Uint8Array, little: boolean): MatCursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const short = (): never => {
    throw new RangeError('it is cut short')
  }
  return {
    little,
    atEnd: () => at >= bytes.length,
    left: () => bytes.length - at,
    element(inside) {
      if (bytes.length - at < 8) return short()
      const tag = view.getUint32(at, little)
      if (tag >>> 16 !== 0) {
        // A small element: its length and type are halves of one word, its bytes the next word.
        const length = tag >>> 16
        if (length > 4) throw new RangeError(`a small element has ${length} bytes`)
        at += 8
        return { type: tag & 0xffff, bytes: bytes.subarray(at - 4, at - 4 + length) }
      }
      const length = view.getUint32(at + 4, little)
      const begin = at + 8
      if (length > bytes.length - begin) return short()
      // Compressed variables are not padded to eight bytes; all others are.
      const padded = tag === COMPRESSED ? length : Math.ceil(length / 8) * 8
      if (!inside && padded > bytes.length - begin) return short()
      at = Math.min(begin + padded, bytes.length)
      return { type: tag, bytes: bytes.subarray(begin, begin + length) }
    },
  }
}
