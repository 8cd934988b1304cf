import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import {
  type Attribute,
  elementBytes,
  elementTypes,
  type Initializer,
  type OnnxGraph,
  type OnnxNode,
  type ValueInfo,
} from './graph.js'

// ModelProto of onnx/onnx.proto, the fields that are written here. It is written field by field with protobuf's own
// writer instead of generated classes: a message of those holds every tensor in memory once as a field and once more in
// the encoded bytes. Here the small fields are encoded first, so that every length is known, and the tensors are then
// made one by one straight into the file's bytes: what is in memory is the file and one tensor.

const { Varint, Bit32, LengthDelimited } = WireType

/**
 * The operator set: the first with LayerNormalization. GELU is spelled out with Erf, for Gelu came with opset 20, while
 * ONNX Runtime fuses the spelled-out one on every backend (CPU, WebAssembly, WebGPU), and older runtimes run it too.
 */
export const OPSET = 17
/** The version of the file format that came with `OPSET`. */
const IR_VERSION = 8
export const PRODUCER = 'trex'
export const PRODUCER_VERSION = '0.1.0'

/** A piece of the file: bytes, or a tensor whose bytes are made when their turn comes. */
type Piece = Uint8Array | { readonly byteLength: number; elements(): ArrayBufferView }

/** The bytes of an ONNX file. @param metadata the file's metadata_props */
export function writeModel(
  graph: OnnxGraph,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  return joined([
    small((out) => {
      out.tag(1, Varint).int64(IR_VERSION)
      out.tag(2, LengthDelimited).string(PRODUCER)
      out.tag(3, LengthDelimited).string(PRODUCER_VERSION)
    }),
    ...delimited(7, graphPieces(graph)),
    small((out) => {
      message(out, 8, () => {
        out.tag(1, LengthDelimited).string('') // ONNX's own operators
        out.tag(2, Varint).int64(OPSET)
      })
      for (const [key, value] of Object.entries(metadata))
        message(out, 14, () => {
          out.tag(1, LengthDelimited).string(key)
          out.tag(2, LengthDelimited).string(value)
        })
    }),
  ])
}

function graphPieces({ nodes, initializers, inputs, outputs }: OnnxGraph): Piece[] {
  return [
    small((out) => {
      for (const node of nodes) message(out, 1, () => writeNode(out, node))
      out.tag(2, LengthDelimited).string('encoder')
    }),
    ...[...initializers].flatMap(([name, tensor]) => delimited(5, tensorPieces(name, tensor))),
    small((out) => {
      for (const value of inputs) message(out, 11, () => writeValue(out, value))
      for (const value of outputs) message(out, 12, () => writeValue(out, value))
    }),
  ]
}

function tensorPieces(name: string, { type, dims, elements }: Initializer): Piece[] {
  const byteLength = dims.reduce((product, dim) => product * dim, 1) * elementBytes[type]
  return [
    small((out) => {
      for (const dim of dims) out.tag(1, Varint).int64(dim)
      out.tag(2, Varint).int32(elementTypes[type])
      out.tag(8, LengthDelimited).string(name)
    }),
    ...delimited(9, [{ byteLength, elements }]),
  ]
}

function writeNode(out: BinaryWriter, { name, op, inputs, outputs, attributes }: OnnxNode): void {
  for (const input of inputs) out.tag(1, LengthDelimited).string(input)
  for (const output of outputs) out.tag(2, LengthDelimited).string(output)
  out.tag(3, LengthDelimited).string(name)
  out.tag(4, LengthDelimited).string(op)
  for (const [key, value] of Object.entries(attributes))
    message(out, 5, () => writeAttribute(out, key, value))
}

const [FLOAT, INT, INTS] = [1, 2, 7] // AttributeProto.AttributeType

function writeAttribute(out: BinaryWriter, name: string, value: Attribute): void {
  out.tag(1, LengthDelimited).string(name)
  if (typeof value === 'number') out.tag(3, Varint).int64(value).tag(20, Varint).int32(INT!)
  else if ('float' in value) out.tag(2, Bit32).float(Math.fround(value.float)).tag(20, Varint).int32(FLOAT!)
  else {
    for (const item of value) out.tag(8, Varint).int64(item)
    out.tag(20, Varint).int32(INTS!)
  }
}

function writeValue(out: BinaryWriter, { name, type, dims }: ValueInfo): void {
  out.tag(1, LengthDelimited).string(name)
  message(out, 2, () =>
    message(out, 1, () => {
      out.tag(1, Varint).int32(elementTypes[type])
      if (!dims) return
      message(out, 2, () => {
        for (const dim of dims)
          message(out, 1, () => {
            if (typeof dim === 'number') out.tag(1, Varint).int64(dim)
            else out.tag(2, LengthDelimited).string(dim)
          })
      })
    }),
  )
}

function message(out: BinaryWriter, field: number, body: () => void): void {
  out.tag(field, LengthDelimited).fork()
  body()
  out.join()
}

function small(write: (out: BinaryWriter) => void): Uint8Array {
  const out = new BinaryWriter()
  write(out)
  return out.finish()
}

const lengthOf = (pieces: readonly Piece[]) => pieces.reduce((sum, { byteLength }) => sum + byteLength, 0)

const delimited = (field: number, pieces: readonly Piece[]): Piece[] => [
  small((out) => out.tag(field, LengthDelimited).uint32(lengthOf(pieces))),
  ...pieces,
]

function joined(pieces: readonly Piece[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthOf(pieces))
  let at = 0
  for (const piece of pieces) {
    const { buffer, byteOffset, byteLength } = 'elements' in piece ? piece.elements() : piece
    if (byteLength !== piece.byteLength) throw new RangeError('a tensor has another size than its shape')
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at)
    at += byteLength
  }
  return bytes
}
