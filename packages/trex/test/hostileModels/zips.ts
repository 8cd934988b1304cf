import { deflateRawSync } from 'node:zlib'
import { crc32 } from '../../src/checkpoints/crc32.js'
import { raw, u16, u32 } from './hostileModel.js'

/** A member of an archive, and the lies about it. */
export interface Member {
  readonly name: string | Uint8Array
  readonly data: Uint8Array | string
  readonly deflated?: boolean
  readonly method?: number
  readonly flags?: number
  readonly crc?: number
  /** In the directory and in front of the member. */
  readonly size?: number
  readonly packed?: number
  /** In front of it alone. */
  readonly localName?: string
  readonly localSize?: number
  readonly localMethod?: number
  /** Where the directory says it begins. */
  readonly offset?: number | ((offset: number, begins: readonly number[]) => number)
  readonly extra?: Uint8Array
  /** Bytes after it. */
  readonly after?: Uint8Array
}

export interface Ends {
  readonly count?: number
  readonly size?: number
  readonly offset?: number
  readonly disk?: number
  readonly comment?: Uint8Array | string
  /** Bytes between the directory and the end. */
  readonly between?: Uint8Array
  readonly before?: Uint8Array | string
}

/** A zip archive with these members and lies. */
export function zipOf(members: readonly Member[], ends: Ends = {}): Buffer {
  const before = raw(ends.before ?? '')
  const pieces: Uint8Array[] = [before]
  const directory: Uint8Array[] = []
  const begins: number[] = []
  let at = before.length
  for (const member of members) {
    const data = raw(member.data)
    const packed = member.deflated ? deflateRawSync(data) : data
    const method = member.method ?? (member.deflated ? 8 : 0)
    const crc = member.crc ?? crc32(data)
    const [size, stored] = [member.size ?? data.length, member.packed ?? packed.length]
    const name = raw(member.name)
    const localName = member.localName === undefined ? name : raw(member.localName)
    const fields = (method: number, size: number) =>
      raw(u16(20), u16(member.flags ?? 0), u16(method), u32(0x210000), u32(crc), u32(stored), u32(size))
    const head = raw(
      'PK\x03\x04',
      fields(member.localMethod ?? method, member.localSize ?? size),
      u16(localName.length),
      u16(0),
      localName,
    )
    begins.push(at)
    const offset = typeof member.offset === 'function' ? member.offset(at, begins) : (member.offset ?? at)
    const extra = raw(member.extra ?? '')
    directory.push(
      raw(
        'PK\x01\x02',
        u16(20),
        fields(method, size),
        u16(name.length),
        u16(extra.length),
        u16(0),
        u16(0),
        u16(0),
        u32(0),
        u32(offset),
        name,
        extra,
      ),
    )
    const whole = raw(head, packed, member.after ?? '')
    pieces.push(whole)
    at += whole.length
  }
  const central = raw(...directory)
  const comment = raw(ends.comment ?? '')
  const count = ends.count ?? members.length
  const end = raw(
    'PK\x05\x06',
    u16(ends.disk ?? 0),
    u16(0),
    u16(count),
    u16(count),
    u32(ends.size ?? central.length),
    u32(ends.offset ?? at),
    u16(comment.length),
    comment,
  )
  return raw(...pieces, central, ends.between ?? '', end)
}
