import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'

// Reads TensorBoard event files apart from the program: the CRC goes bit by bit, the messages are a tree of fields.

/** What an event says, fields that are absent left out. */
export interface ReadEvent {
  wallTime: number
  step: number
  fileVersion?: string
  sessionStatus?: number
  tag?: string
  scalar?: number
  histogram?: {
    min: number
    max: number
    num: number
    sum: number
    sumSquares: number
    limits: number[]
    counts: number[]
  }
  text?: string
  plugin?: string
}

/** The events of a file; a record cut short at the end is left out. @throws Error on a wrong CRC. */
export function readEvents(bytes: Uint8Array): ReadEvent[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const events: ReadEvent[] = []
  for (let at = 0; at + 12 <= bytes.length; ) {
    const length = Number(view.getBigUint64(at, true))
    requireCrc(bytes.subarray(at, at + 8), view.getUint32(at + 8, true), `length at ${at}`)
    const end = at + 12 + length
    if (end + 4 > bytes.length) break
    requireCrc(bytes.subarray(at + 12, end), view.getUint32(end, true), `data at ${at}`)
    events.push(eventOf(bytes.subarray(at + 12, end)))
    at = end + 4
  }
  return events
}

function requireCrc(bytes: Uint8Array, expected: number, where: string): void {
  let crc = 0xffffffffn
  for (const byte of bytes) {
    crc ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x82f63b78n : crc >> 1n
  }
  crc ^= 0xffffffffn
  const masked = (((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn
  if (masked !== BigInt(expected)) throw new Error(`wrong CRC of the ${where}`)
}

type Field = number | Uint8Array
type Fields = Map<number, Field[]>

function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes)
  const fields: Fields = new Map()
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag()
    const value =
      type === WireType.Varint
        ? Number(reader.int64())
        : type === WireType.Bit64
          ? reader.double()
          : type === WireType.Bit32
            ? reader.float()
            : reader.bytes()
    fields.set(number, [...(fields.get(number) ?? []), value])
  }
  return fields
}

const only = <T extends Field>(fields: Fields | undefined, number: number) =>
  fields?.get(number)?.[0] as T | undefined
const inner = (fields: Fields | undefined, number: number) => {
  const bytes = only<Uint8Array>(fields, number)
  return bytes && fieldsOf(bytes)
}
const utf8 = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes)

function doubles(bytes: Uint8Array | undefined): number[] {
  if (!bytes) return []
  const reader = new BinaryReader(bytes)
  return Array.from({ length: bytes.length / 8 }, () => reader.double())
}

function eventOf(bytes: Uint8Array): ReadEvent {
  const fields = fieldsOf(bytes)
  const value = inner(inner(fields, 5), 1)
  const histogram = inner(value, 5)
  const number = (field: number) => only<number>(histogram, field)!
  const event: ReadEvent = {
    wallTime: only<number>(fields, 1)!,
    step: only<number>(fields, 2) ?? 0,
    fileVersion: utf8(only(fields, 3)),
    sessionStatus: only<number>(inner(fields, 7), 1),
    tag: utf8(only(value, 1)),
    scalar: only<number>(value, 2),
    histogram: histogram && {
      min: number(1),
      max: number(2),
      num: number(3),
      sum: number(4),
      sumSquares: number(5),
      limits: doubles(only(histogram, 6)),
      counts: doubles(only(histogram, 7)),
    },
    text: utf8(only(inner(value, 8), 8)),
    plugin: utf8(only(inner(inner(value, 9), 1), 1)),
  }
  return Object.fromEntries(
    Object.entries(event).filter(([, what]) => what !== undefined),
  ) as unknown as ReadEvent
}
