/** Fields of a header that a hostile archive sets as it likes. */
export interface HeaderFields {
  name?: string | Uint8Array
  /** The size as a number, in octal, or the field's 12 bytes. */
  size?: number | Uint8Array | string
  type?: string
  linkName?: string
  magic?: string
  prefix?: string
  checksum?: 'unsigned' | 'signed' | 'wrong' | 'spaces' | 'letters'
  /** Bytes written over the block before the checksum is taken. */
  patch?: [at: number, bytes: string | Uint8Array][]
}

const bytesOf = (text: string | Uint8Array) => (typeof text === 'string' ? Buffer.from(text) : text)

/** A 512-byte header block, ustar unless `magic` says otherwise. */
export function header(fields: HeaderFields): Buffer {
  const { name = '', size = 0, type = '0', linkName = '', magic = 'ustar\x0000', prefix = '' } = fields
  const block = Buffer.alloc(512)
  block.set(bytesOf(name).subarray(0, 100), 0)
  block.write('0000644\x000000000\x000000000\x00', 100, 'latin1')
  block.set(
    typeof size === 'number' ? Buffer.from(`${size.toString(8).padStart(11, '0')}\0`) : bytesOf(size),
    124,
  )
  block.write('00000000000\x00', 136, 'latin1')
  block.write(type, 156, 'latin1')
  block.write(linkName.slice(0, 100), 157)
  block.write(magic, 257, 'latin1')
  block.write(prefix, 345)
  for (const [at, bytes] of fields.patch ?? []) block.set(bytesOf(bytes), at)
  block.fill(' ', 148, 156)
  const signed = fields.checksum === 'signed'
  let sum = 0
  for (const byte of block) sum += signed && byte > 127 ? byte - 256 : byte
  if (fields.checksum === 'wrong') sum++
  if (fields.checksum === 'letters') block.write('checksum', 148)
  else if (fields.checksum !== 'spaces') block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** Data, padded to whole blocks. */
export function padded(data: string | Uint8Array): Buffer {
  const bytes = bytesOf(data)
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}

/** A member with its data. */
export const member = (
  name: string | Uint8Array,
  data: string | Uint8Array = 'pixels',
  fields: HeaderFields = {},
) => Buffer.concat([header({ name, size: bytesOf(data).length, ...fields }), padded(data)])

/** One record of an extended header. */
export function record(key: string, value: string | Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), bytesOf(value), Buffer.from('\n')])
  let length = rest.length + 1
  while (`${length}`.length + rest.length !== length) length = `${length}`.length + rest.length
  return Buffer.concat([Buffer.from(`${length}`), rest])
}

/** An extended header ('x'), or a global one ('g'). */
export const pax = (records: Uint8Array | string, type = 'x') => member('PaxHeaders/0', records, { type })

/** GNU's long name. */
export const longName = (name: string | Uint8Array, type = 'L') =>
  member('././@LongLink', Buffer.concat([bytesOf(name), Buffer.alloc(1)]), { type, magic: 'ustar  \0' })

/** A size in base 256: the low bytes of a two's complement number of 95 bits. */
export function base256(size: bigint): Uint8Array {
  const field = Buffer.alloc(12)
  for (let i = 0; i < 12; i++) field[11 - i] = Number((size >> BigInt(8 * i)) & 0xffn)
  field[0]! |= 0x80
  return field
}

export const END = Buffer.alloc(1024)

/** Four images in two class folders. */
export const GOOD = Buffer.concat([
  member('a/1.jpg', 'image a1'),
  member('a/2.jpg', 'image a2'),
  member('b/1.jpg', 'image b1'),
  member('b/2.jpg', 'image b2'),
])

/** An archive that is complete. */
export const archive = (...parts: Uint8Array[]) => Buffer.concat([GOOD, ...parts, END])
