import { crc32 } from 'node:zlib'

/** A file to put into an archive. */
export interface ZipMember {
  readonly name: string
  /** Bytes of the content. */
  readonly size: number
  /** The content, piece by piece; called twice. */
  readonly content: () => Iterable<Uint8Array>
}

const [LOCAL, CENTRAL, END, END64, LOCATOR64] = [0x04034b50, 0x02014b50, 0x06054b50, 0x06064b50, 0x07064b50]
const VERSION = 45 // with 64-bit sizes
const DATE = 0x21 // 1 January 1980: the same content is the same bytes
const BIG = 0xffffffff
const PADDING = 0x4246 // `FB`, as PyTorch calls its own

/**
 * The bytes of a zip archive of stored members, with 64-bit sizes throughout, as numpy.savez writes one. Each content
 * starts at a multiple of `alignment` bytes, a power of two: PyTorch's is 64.
 */
export function* zipChunks(
  members: readonly ZipMember[],
  { alignment = 1 }: { alignment?: number } = {},
): Generator<Uint8Array> {
  const directory: Uint8Array[] = []
  let at = 0
  for (const { name, size, content } of members) {
    let crc = 0
    for (const piece of content()) crc = crc32(piece, crc)
    const header = padded(record(LOCAL, name, crc, size, null), at, alignment)
    yield header
    yield* content()
    directory.push(record(CENTRAL, name, crc, size, at))
    at += header.length + size
  }
  const length = directory.reduce((sum, { length }) => sum + length, 0)
  yield* directory
  yield end(members.length, length, at)
}

/** The header in front of a member, or with `offset` its entry in the directory. */
function record(
  signature: number,
  name: string,
  crc: number,
  size: number,
  offset: number | null,
): Uint8Array {
  const central = offset !== null
  const text = new TextEncoder().encode(name)
  const fixed = central ? 46 : 30
  const extra = central ? 28 : 20
  const view = new DataView(new ArrayBuffer(fixed + text.length + extra))
  let at = 0
  const u16 = (...values: number[]) => {
    for (const value of values) view.setUint16((at += 2) - 2, value, true)
  }
  const u32 = (...values: number[]) => {
    for (const value of values) view.setUint32((at += 4) - 4, value, true)
  }
  const u64 = (value: number) => view.setBigUint64((at += 8) - 8, BigInt(value), true)
  u32(signature)
  if (central) u16(VERSION)
  u16(VERSION, 0x0800, 0, 0, DATE) // names are UTF-8; stored
  u32(crc, BIG, BIG)
  u16(text.length, extra)
  if (central) {
    u16(0, 0, 0)
    u32(0, BIG)
  }
  new Uint8Array(view.buffer).set(text, at)
  at += text.length
  u16(1, extra - 4)
  u64(size)
  u64(size)
  if (offset !== null) u64(offset)
  return new Uint8Array(view.buffer)
}

/** A local header that ends at a multiple of `alignment` bytes when it begins at `at`: an extra field makes up for it. */
function padded(header: Uint8Array, at: number, alignment: number): Uint8Array {
  const missing = -(at + header.length) & (alignment - 1)
  if (missing === 0) return header
  const length = missing < 4 ? missing + alignment : missing // a field has 4 bytes at least
  const longer = new Uint8Array(header.length + length)
  longer.set(header)
  const view = new DataView(longer.buffer)
  view.setUint16(28, view.getUint16(28, true) + length, true)
  view.setUint16(header.length, PADDING, true)
  view.setUint16(header.length + 2, length - 4, true)
  return longer
}

/** The end of the directory with 64-bit numbers, where it is, and the old end that points there. */
function end(count: number, length: number, offset: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(56 + 20 + 22))
  view.setUint32(0, END64, true)
  view.setBigUint64(4, 44n, true)
  view.setUint16(12, VERSION, true)
  view.setUint16(14, VERSION, true)
  view.setBigUint64(24, BigInt(count), true)
  view.setBigUint64(32, BigInt(count), true)
  view.setBigUint64(40, BigInt(length), true)
  view.setBigUint64(48, BigInt(offset), true)
  view.setUint32(56, LOCATOR64, true)
  view.setBigUint64(64, BigInt(offset + length), true)
  view.setUint32(72, 1, true)
  view.setUint32(76, END, true)
  view.setUint16(84, 0xffff, true)
  view.setUint16(86, 0xffff, true)
  view.setUint32(88, BIG, true)
  view.setUint32(92, BIG, true)
  return new Uint8Array(view.buffer)
}
