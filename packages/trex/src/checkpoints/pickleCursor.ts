/** Reads a pickle's bytes in order, never past their end. */
export interface PickleCursor {
  readonly position: number
  u8(): number
  u16(): number
  i32(): number
  u32(): number
  /** An unsigned 64-bit length that the bytes left can hold. */
  length64(): number
  f64(): number
  /** A view of the next bytes. */
  bytes(count: number): Uint8Array
  /** UTF-8 text of so many bytes; lone surrogates, which Python writes, become U+FFFD. */
  text(count: number): string
  /** Latin-1 text of so many bytes: a string of Python 2. */
  latin1(count: number): string
  /** Text up to the next line feed, without it. */
  line(): string
  /** A little-endian two's complement integer of so many bytes. */
  integer(count: number): number | bigint
}

/** The longest integer, in bytes, and the longest line: more serves only to keep a reader busy. */
const MAX_INTEGER_BYTES = 1024
const MAX_LINE_BYTES = 1 << 14
/** Bytes that become text at once: a string of single characters takes 32 bytes for each. */
const LATIN1_CHUNK = 1 << 13

/** A cursor over `bytes` from `start` on; its methods throw RangeError where the bytes end. */
export function pickleCursor(bytes: Uint8Array, start = 0): PickleCursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  let at = start
  const take = (count: number) => {
    if (!(count <= bytes.length - at)) throw new RangeError('the pickle is cut short')
    at += count
    return at - count
  }
  const cursor: PickleCursor = {
    get position() {
      return at
    },
    u8: () => bytes[take(1)]!,
    u16: () => view.getUint16(take(2), true),
    i32: () => view.getInt32(take(4), true),
    u32: () => view.getUint32(take(4), true),
    length64: () => Number(view.getBigUint64(take(8), true)),
    f64: () => view.getFloat64(take(8), false),
    bytes(count) {
      const from = take(count)
      return bytes.subarray(from, from + count)
    },
    text: (count) => utf8.decode(cursor.bytes(count)),
    latin1: (count) => latin1(cursor.bytes(count)),
    line() {
      const end = bytes.indexOf(0x0a, at)
      if (end < 0 || end - at > MAX_LINE_BYTES) throw new RangeError('a line has no end')
      const text = cursor.text(end - at)
      at = end + 1
      return text
    },
    integer(count) {
      if (count > MAX_INTEGER_BYTES) throw new RangeError(`an integer takes ${count} bytes`)
      const digits = cursor.bytes(count)
      if (count === 0) return 0
      let hex = '0x'
      for (let i = count - 1; i >= 0; i--) hex += digits[i]!.toString(16).padStart(2, '0')
      return plain(BigInt.asIntN(8 * count, BigInt(hex)))
    },
  }
  return cursor
}

/** A number where it is exact, else the bigint. */
export const plain = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value

function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += LATIN1_CHUNK)
    text += String.fromCharCode(...bytes.subarray(at, at + LATIN1_CHUNK))
  return text
}
