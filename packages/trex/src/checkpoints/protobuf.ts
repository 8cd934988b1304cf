import type { ByteSource } from './byteSource.js'

/** A field of a message: a number, or where its bytes are. */
export interface ProtoField {
  readonly field: number
  /** 0 a number, 1 and 5 eight and four bytes, 2 bytes with their length. */
  readonly wire: number
  /** Of a number: exact below 2^53. */
  readonly value: number
  readonly begin: number
  readonly end: number
}

/** Reads the fields of protobuf messages where they lie, without what is in them. */
export interface ProtoReader {
  /** The fields of a message, one level deep. @throws RangeError when it is none. */
  fields(begin: number, end: number): Generator<ProtoField>
  /** Bytes as text. @throws RangeError when it is longer than 1 MiB, or all texts are longer than 16. */
  text(field: ProtoField): string
  /** Numbers that are packed into bytes, at most so many. @throws RangeError when there are more. */
  numbers(field: ProtoField, most: number): number[]
}

const WINDOW = 1 << 16
/** Fields of all messages of a file that are read. */
const MOST_FIELDS = 1 << 21
const MOST_TEXT = 1 << 20
const MOST_TEXTS = 1 << 24

/** A reader of a source. */
export function protoReader(source: ByteSource): ProtoReader {
  let window: Uint8Array = new Uint8Array(0)
  let start = 0
  let count = 0
  let texts = 0
  const byteAt = (at: number, end: number): number => {
    if (at >= end) throw new RangeError('a message is cut short')
    if (at < start || at >= start + window.length) {
      window = source.read(at, Math.min(WINDOW, source.size - at))
      start = at
    }
    return window[at - start]!
  }
  const varintAt = (begin: number, end: number): { value: number; next: number } => {
    let [value, at] = [0, begin]
    for (let power = 1; power < 2 ** 70; power *= 128) {
      const byte = byteAt(at++, end)
      value += (byte & 127) * power
      if (byte < 128) return { value, next: at }
    }
    throw new RangeError('a number has no end')
  }
  function* fields(begin: number, end: number): Generator<ProtoField> {
    let at = begin
    const varint = () => {
      const read = varintAt(at, end)
      at = read.next
      return read.value
    }
    while (at < end) {
      if (++count > MOST_FIELDS) throw new RangeError(`it has more than ${MOST_FIELDS} fields`)
      const tag = varint()
      const [field, wire] = [Math.floor(tag / 8), tag % 8]
      if (field === 0 || ![0, 1, 2, 5].includes(wire)) throw new RangeError('a field has no known kind')
      const value = wire === 0 ? varint() : 0
      const bytes = wire === 2 ? varint() : wire === 1 ? 8 : wire === 5 ? 4 : 0
      if (!(at + bytes <= end)) throw new RangeError('a field reaches out of its message')
      yield { field, wire, value, begin: at, end: at + bytes }
      at += bytes
    }
  }
  const text = ({ begin, end }: ProtoField) => {
    if (end - begin > MOST_TEXT) throw new RangeError(`a text takes ${end - begin} bytes`)
    texts += end - begin
    if (texts > MOST_TEXTS) throw new RangeError(`its texts take more than ${MOST_TEXTS} bytes`)
    return new TextDecoder().decode(source.read(begin, end - begin))
  }
  const numbers = ({ begin, end }: ProtoField, most: number) => {
    const values: number[] = []
    for (let at = begin; at < end; ) {
      if (values.length === most) throw new RangeError('a list is too long')
      const { value, next } = varintAt(at, end)
      values.push(value)
      at = next
    }
    return values
  }
  return { fields, text, numbers }
}
