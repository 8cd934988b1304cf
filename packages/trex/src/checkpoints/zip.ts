import type { ByteSource } from './byteSource.js'
import { CheckpointError } from './checkpointError.js'
import { quoted } from './quoted.js'
import { type Directory, findDirectory } from './zipDirectory.js'

/** Where the bytes of an archive's member lie. */
export interface ZipEntry {
  readonly name: string
  readonly offset: number
  /** Bytes of its content, and in the archive: fewer when they are compressed. */
  readonly size: number
  readonly packed: number
  readonly deflated: boolean
  /** Of the content; 0 where it was not written. */
  readonly crc: number
}

/** As the central directory tells it. */
interface Listed {
  readonly name: string
  readonly nameBytes: Uint8Array
  readonly flags: number
  readonly crc: number
  readonly size: number
  readonly packed: number
  readonly method: number
  readonly header: number
}

const CENTRAL = 0x02014b50
const LOCAL = 0x04034b50
const DESCRIPTOR = 0x08074b50
const CENTRAL_BYTES = 46
const LOCAL_BYTES = 30
const ENCRYPTED = 0x0001 | 0x0040 | 0x2000
const HAS_DESCRIPTOR = 0x0008
const UNKNOWN = 0xffffffff

const DEFLATED = 8

/**
 * The members of a zip archive, with `deflated` also compressed ones, which PyTorch never writes. The central directory
 * is checked against the header in front of each member; no two may share a byte or a name. Checksums are not compared
 * here, as PyTorch has a setting that does not write them.
 * @throws CheckpointError on an archive that is damaged, compressed, encrypted, or contradicts itself.
 */
export function readZip(source: ByteSource, { deflated = false } = {}): Map<string, ZipEntry> {
  const directory = findDirectory(source)
  const listed = readDirectory(source, directory, deflated)
  const entries = new Map<string, ZipEntry>()
  const used: { begin: number; end: number; name: string }[] = []
  for (const item of listed) {
    if (entries.has(item.name))
      throw new CheckpointError(source.name, `two members are called ${quoted(item.name)}`)
    const { offset, end } = checkMember(source, item, directory.offset)
    const { name, size, packed, method, crc } = item
    entries.set(name, { name, offset, size, packed, deflated: method === DEFLATED, crc })
    used.push({ begin: item.header, end, name: item.name })
  }
  used.sort((a, b) => a.begin - b.begin)
  for (const [i, { begin, name }] of used.entries())
    if (i > 0 && begin < used[i - 1]!.end)
      throw new CheckpointError(
        source.name,
        `members ${quoted(used[i - 1]!.name)} and ${quoted(name)} overlap`,
      )
  return entries
}

function readDirectory(source: ByteSource, { offset, size, count }: Directory, deflated: boolean): Listed[] {
  const fail = (what: string): never => {
    throw new CheckpointError(source.name, `the archive's directory is damaged: ${what}`)
  }
  const bytes = source.read(offset, size)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const listed: Listed[] = []
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > size || view.getUint32(at, true) !== CENTRAL) fail(`entry ${i} is cut short`)
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      view.getUint16(at + field, true),
    )
    const end = at + CENTRAL_BYTES + nameLength! + extraLength! + commentLength!
    if (end > size) fail(`entry ${i} is cut short`)
    const nameBytes = bytes.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameLength!)
    const name = decodeName(nameBytes) ?? fail(`the name of entry ${i} is not UTF-8`)
    const extra = at + CENTRAL_BYTES + nameLength!
    const wide = wideFields(new DataView(bytes.buffer, bytes.byteOffset + extra, extraLength))
    const field = (position: number) => {
      const value = view.getUint32(at + position, true)
      return value === UNKNOWN ? (wide.shift() ?? fail(`entry ${i} lacks its 64-bit sizes`)) : value
    }
    const flags = view.getUint16(at + 8, true)
    const method = view.getUint16(at + 10, true)
    if (flags & ENCRYPTED) throw new CheckpointError(source.name, `member ${quoted(name)} is encrypted`)
    if (method !== 0 && !(deflated && method === DEFLATED))
      throw new CheckpointError(
        source.name,
        deflated
          ? `member ${quoted(name)} is compressed in a way that numpy does not use`
          : `member ${quoted(name)} is compressed, which torch.save never does`,
      )
    const [length, packed, header] = [field(24), field(20), field(42)]
    if (method === 0 && length !== packed)
      fail(`member ${quoted(name)} is stored in ${packed} bytes, but has ${length}`)
    const crc = view.getUint32(at + 16, true)
    listed.push({ name, nameBytes, flags, crc, size: length, packed, method, header })
    at = end
  }
  if (at !== size) fail(`${size - at} bytes are left after its ${count} entries`)
  return listed
}

/** Checks the header in front of a member, and what may follow its bytes; where these begin and the member ends. */
function checkMember(source: ByteSource, item: Listed, limit: number): { offset: number; end: number } {
  const { name, nameBytes, flags, method, crc, size, packed, header } = item
  const fail = (what: string): never => {
    throw new CheckpointError(source.name, `member ${quoted(name)} ${what}`)
  }
  if (!(header + LOCAL_BYTES + nameBytes.length <= limit)) fail('lies outside of the file')
  const bytes = source.read(header, LOCAL_BYTES + nameBytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0, true) !== LOCAL) fail('does not begin where the directory says')
  const sameName =
    view.getUint16(26, true) === nameBytes.length &&
    nameBytes.every((byte, i) => byte === bytes[LOCAL_BYTES + i])
  if (!sameName) fail('has another name in front of it than in the directory')
  if (view.getUint16(6, true) !== flags || view.getUint16(8, true) !== method)
    fail('has another method in front of it than in the directory')
  const offset = header + LOCAL_BYTES + nameBytes.length + view.getUint16(28, true)
  const end = offset + packed
  if (!(end <= limit)) fail('lies outside of the file')
  const described = (flags & HAS_DESCRIPTOR) !== 0
  for (const [field, bytes] of [
    [18, packed],
    [22, size],
  ] as const) {
    const told = view.getUint32(field, true)
    const later = described && told === 0
    if (told !== bytes && told !== UNKNOWN && !later)
      fail('has another size in front of it than in the directory')
  }
  return { offset, end: described ? checkDescriptor(source, { end, crc, size, packed, limit }, fail) : end }
}

/** The sizes after a member, in 4 or 8 bytes each; where they end. */
function checkDescriptor(
  source: ByteSource,
  {
    end,
    crc,
    size,
    packed,
    limit,
  }: { end: number; crc: number; size: number; packed: number; limit: number },
  fail: (what: string) => never,
): number {
  const length = Math.min(24, limit - end)
  const bytes = source.read(end, length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const known = length >= 16 && view.getUint32(0, true) === DESCRIPTOR && view.getUint32(4, true) === crc
  if (known && view.getUint32(8, true) === packed && view.getUint32(12, true) === size) return end + 16
  const wide = known && length === 24 ? [view.getBigUint64(8, true), view.getBigUint64(16, true)] : []
  if (wide[0] === BigInt(packed) && wide[1] === BigInt(size)) return end + 24
  return fail('has other sizes after it than in the directory')
}

function decodeName(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** The 64-bit numbers of an entry's zip64 field, in their order: of what its 32-bit fields cannot hold. */
function wideFields(extra: DataView): number[] {
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const [id, length] = [extra.getUint16(at, true), extra.getUint16(at + 2, true)]
    const end = Math.min(at + 4 + length, extra.byteLength)
    if (id === 1) {
      const values: number[] = []
      for (let i = at + 4; i + 8 <= end; i += 8) values.push(Number(extra.getBigUint64(i, true)))
      return values
    }
    at = end
  }
  return []
}
