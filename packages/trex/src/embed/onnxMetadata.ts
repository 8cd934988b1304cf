import type { ByteSource } from '../checkpoints/byteSource.js'
import { TrexError } from '../errors.js'

/** Field of the metadata in a ModelProto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). */
const METADATA_PROPS = 14
/** The most bytes of an entry that are read: a description is a few kB. */
const MOST_BYTES = 1 << 20

/**
 * The metadata of an ONNX file, without reading its graph and weights.
 * @throws TrexError when it is no ONNX file.
 */
export function onnxMetadata(source: ByteSource): Record<string, string> {
  const metadata: [string, string][] = []
  for (const { field, begin, end } of fieldsOf(source, 0, source.size)) {
    if (field !== METADATA_PROPS || end - begin > MOST_BYTES) continue
    const texts: string[] = ['', '']
    for (const part of fieldsOf(source, begin, end))
      texts[part.field - 1] = new TextDecoder().decode(source.read(part.begin, part.end - part.begin))
    metadata.push([texts[0]!, texts[1]!])
  }
  return Object.fromEntries(metadata)
}

interface Field {
  readonly field: number
  /** Where its bytes are; those of numbers are empty. */
  readonly begin: number
  readonly end: number
}

/** The fields of a protobuf message at a place, one level deep. */
function* fieldsOf(source: ByteSource, begin: number, end: number): Generator<Field> {
  let at = begin
  const varint = (): number => {
    let value = 0
    for (let power = 1; power < 2 ** 63; power *= 128) {
      if (at >= end) throw notOnnx(source)
      const [byte] = source.read(at++, 1)
      value += (byte! & 127) * power
      if (byte! < 128) return value
    }
    throw notOnnx(source)
  }
  while (at < end) {
    const tag = varint()
    const [field, wire] = [Math.floor(tag / 8), tag % 8]
    if (wire === 0) varint()
    const bytes = wire === 2 ? varint() : wire === 1 ? 8 : wire === 5 ? 4 : 0
    if (field === 0 || ![0, 1, 2, 5].includes(wire) || at + bytes > end) throw notOnnx(source)
    yield { field, begin: at, end: at + (wire === 2 ? bytes : 0) }
    at += bytes
  }
}

const notOnnx = ({ name }: ByteSource): TrexError =>
  new TrexError(`${name} is no ONNX file, or is damaged`, { hint: 'export or fetch it again' })
