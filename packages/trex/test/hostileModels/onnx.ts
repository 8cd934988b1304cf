import { readFileSync } from 'node:fs'
import { encoderShapes } from '../../src/checkpoints/encoderShapes.js'
import {
  type Case,
  changed,
  harmless,
  inert,
  raw,
  refused,
  type Traps,
  u64,
  unforetold,
} from './hostileModel.js'
import { RESNET18 } from './pickles.js'

const golden = (name: string) => readFileSync(new URL(`../golden/weights/${name}`, import.meta.url))

const varint = (value: number | bigint): Buffer => {
  const bytes: number[] = []
  for (let left = BigInt.asUintN(64, BigInt(value)); ; left >>= 7n) {
    bytes.push(Number(left & 127n) | (left > 127n ? 128 : 0))
    if (left <= 127n) return Buffer.from(bytes)
  }
}
const number = (field: number, value: number | bigint) => raw(varint(field * 8), varint(value))
const bytes = (field: number, value: Uint8Array | string, length?: number | bigint) =>
  raw(varint(field * 8 + 2), varint(length ?? raw(value).length), value)
const MB = 1 << 20

interface TensorParts {
  name?: string
  dims?: (number | bigint)[]
  type?: number
  data?: Uint8Array
  more?: Uint8Array
}
const weights = ({
  name = 'w',
  dims = [4],
  type = 1,
  data = Buffer.alloc(16),
  more = Buffer.alloc(0),
}: TensorParts = {}) =>
  bytes(5, raw(...dims.map((dim) => number(1, dim)), number(2, type), bytes(8, name), bytes(9, data), more))
const graph = (...parts: Uint8Array[]) => bytes(7, raw(...parts))
const model =
  (...parts: Uint8Array[]) =>
  () =>
    raw(number(1, 8), bytes(2, 'pytorch'), ...parts, bytes(8, number(2, 17)))
const node = (kind: string, inner: Uint8Array = Buffer.alloc(0)) => bytes(1, raw(bytes(4, kind), inner))
/** A graph in an attribute of a node of a graph, and so on. */
const nested = (levels: number) => {
  let inner: Uint8Array = Buffer.alloc(0)
  for (let i = 0; i < levels; i++) inner = raw(bytes(1, raw(bytes(4, 'If'), bytes(5, bytes(6, inner)))))
  return inner
}
const props = (...pairs: [string, string][]) =>
  raw(...pairs.map(([key, value]) => bytes(14, raw(bytes(1, key), bytes(2, value)))))
const outside = (location: string) =>
  model(
    graph(
      bytes(
        5,
        raw(
          number(1, 4),
          number(2, 1),
          bytes(8, 'w'),
          bytes(13, raw(bytes(1, 'location'), bytes(2, location))),
          number(14, 1),
        ),
      ),
    ),
  )
const damaged = refused(/is no ONNX file, or is damaged/)
const whole = () =>
  raw(
    ...[...encoderShapes(RESNET18)].map(([name, shape]) => {
      const size = shape.reduce((product, length) => product * length, 2)
      return weights({ name: `backbone.${name}`, dims: [...shape], type: 10, data: Buffer.alloc(size) })
    }),
  )

export const onnx = ({ port }: Traps): Case[] => [
  ['as it should be', model(graph(node('Relu'), weights())), inert()],
  ['a whole encoder', () => model(graph(whole()))(), harmless],
  ['exported by PyTorch', () => golden('exported.onnx'), inert()],
  ['cut in the middle', () => golden('exported.onnx').subarray(0, 500), damaged],
  ['no graph', model(), damaged],
  ['two graphs', model(graph(weights()), graph(weights())), damaged],
  ['a graph without weights', model(graph(node('Relu'))), inert()],
  ['a graph that reaches out of the file', model(bytes(7, '', 2 ** 40)), damaged],
  ['a graph of 2^64 - 1 bytes', model(bytes(7, '', 2n ** 64n - 1n)), damaged],
  ['weights that reach out of the graph', model(graph(bytes(5, '', 1000))), damaged],
  ['weights twice', model(graph(weights(), weights())), refused(/weights "w" are given twice/)],
  ['weights called __proto__', model(graph(weights({ name: '__proto__' }))), inert()],
  ['weights without a name', model(graph(weights({ name: '' }))), inert()],
  [
    'fewer bytes than the shape',
    model(graph(weights({ dims: [5] }))),
    refused(/which take 20 bytes, and have 16/),
  ],
  ['a negative size', model(graph(weights({ dims: [-1] }))), refused(/sizes that are no counts/)],
  ['a size of 2^62', model(graph(weights({ dims: [2n ** 62n] }))), refused(/sizes that are no counts/)],
  ['sizes whose product overflows', model(graph(weights({ dims: [2 ** 40, 2 ** 40] }))), damaged],
  [
    'a thousand dimensions',
    model(graph(weights({ dims: Array(1000).fill(1) }))),
    refused(/too many dimensions/),
  ],
  [
    'a million sizes in one field',
    model(graph(bytes(5, bytes(1, Buffer.alloc(MB, 1))))),
    refused(/a list is too long/),
  ],
  ['a type that is not known', model(graph(weights({ type: 99 }))), inert()],
  ['texts as weights', model(graph(weights({ type: 8 }))), inert()],
  ['elements in two fields', model(graph(weights({ more: bytes(4, Buffer.alloc(16)) }))), inert()],
  ['weights in /etc/passwd', outside('/etc/passwd'), inert()],
  ['weights in a file above', outside('../../../../etc/shadow'), inert()],
  ['weights at a server', outside(`http://127.0.0.1:${port}/w`), inert()],
  ['100,000 levels of graphs', () => model(graph(nested(300)))(), inert()],
  [
    'a flood of fields',
    model(bytes(6, ''), Buffer.alloc(10 * MB, Uint8Array.of(0x30, 0))),
    refused(/more than \d+ fields/),
  ],
  ['a flood of nodes', () => model(graph(Buffer.concat(Array(200_000).fill(node('Relu')))))(), inert()],
  [
    'a flood of kinds of nodes',
    () => model(graph(Buffer.concat(Array.from({ length: 50_000 }, (_, i) => node(`k${i}`)))))(),
    inert(),
  ],
  [
    'a flood of weights',
    () =>
      model(
        graph(
          Buffer.concat(
            Array.from({ length: 70_000 }, (_, i) =>
              weights({ name: `${i}`, dims: [0], data: Buffer.alloc(0) }),
            ),
          ),
        ),
      )(),
    refused(/more than \d+ weights/),
  ],
  ['a number without an end', () => raw(number(1, 8), '\x08', Buffer.alloc(100, 0xff)), damaged],
  ['a field of no number', model(raw('\x02\x01x')), damaged],
  ['groups, which are long gone', model(raw('\x1b\x1c')), damaged],
  [
    'metadata twice',
    model(graph(weights()), props(['a', '1'], ['a', '2'])),
    refused(/metadata "a" is given twice/),
  ],
  ['metadata __proto__', model(graph(weights()), props(['__proto__', 'x'], ['trex.model', '{'])), inert()],
  [
    'a producer of 2 MB',
    model(graph(weights()), bytes(3, 'x'.repeat(2 * MB))),
    refused(/a text takes 2097152 bytes/),
  ],
  [
    'a header of safetensors in front',
    () => raw('\x08\x08\0\0\0\0\0\0{', u64(0), 'x'),
    refused(/not valid JSON|truncated|header/),
  ],
  ...Array.from(
    { length: 3 },
    (_, i): Case => [`changed bytes ${i}`, () => changed(golden('kinds.onnx'), 200 + i), unforetold],
  ),
]
