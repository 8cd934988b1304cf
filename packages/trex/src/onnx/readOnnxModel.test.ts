import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TrexError } from '../errors.js'
import { draftGraph } from './graph.js'
import { readOnnxModel } from './readOnnxModel.js'
import { writeModel } from './writeModel.js'

const { Varint, LengthDelimited } = WireType

/** A small graph: y = relu(x W + b). */
function model(metadata: Record<string, string> = {}): Uint8Array {
  const g = draftGraph('float32')
  const weight = g.weight('w', [2, 3], () => Float32Array.of(1, 2, 3, 4, 5, 6))
  const bias = g.weight('b', [3], () => Float32Array.of(-1, 0, 1))
  const y = g.node('y', 'Relu', [g.node('gemm', 'Gemm', ['x', weight, bias])])
  const value = (name: string, width: number) => ({ name, type: 'float32', dims: ['batch', width] }) as const
  return writeModel(g.finish([value('x', 2)], [value(y, 3)]), metadata)
}

/** Messages by hand: pieces are fields of numbers, of texts, of bytes, or of messages. */
type Field = readonly [number: number, content: number | string | Uint8Array | readonly Field[]]
function encode(fields: readonly Field[]): Uint8Array {
  const out = new BinaryWriter()
  for (const [number, content] of fields) {
    if (typeof content === 'number') out.tag(number, Varint).int64(content)
    else if (typeof content === 'string') out.tag(number, LengthDelimited).string(content)
    else out.tag(number, LengthDelimited).bytes(content instanceof Uint8Array ? content : encode(content))
  }
  return out.finish()
}
const withGraph = (...graph: Field[]) =>
  encode([
    [1, 8],
    [7, graph],
    [8, [[2, 17]]],
  ])
const external: Field[] = [
  [1, 4],
  [2, 1],
  [8, 'secret'],
  [
    13,
    [
      [1, 'location'],
      [2, '../../etc/passwd'],
    ],
  ],
  [14, 1],
]

test('what is written is read', () => {
  const read = readOnnxModel(model({ 'trex.model': '{}', __proto__x: 'é' }))
  expect(read.opset).toBe(17)
  expect({ ...read.metadata }).toEqual({ 'trex.model': '{}', __proto__x: 'é' })
  expect(read.inputs).toEqual([{ name: 'x', type: 1, dims: ['batch', 2] }])
  expect(read.outputs).toEqual([{ name: 'y', type: 1, dims: ['batch', 3] }])
  expect([...read.operators]).toEqual([
    ['Gemm', 1],
    ['Relu', 1],
  ])
  expect([...read.initializers.keys()]).toEqual(['w', 'b'])
  const { dtype, shape, data } = read.read('w')
  expect([dtype, shape, [...new Float32Array(data.slice().buffer)]]).toEqual([
    'F32',
    [2, 3],
    [1, 2, 3, 4, 5, 6],
  ])
})

const loop = (...body: Field[]): Field => [
  1,
  [
    [4, 'Loop'],
    [
      5,
      [
        [1, 'body'],
        [6, body],
        [20, 5],
      ],
    ],
  ],
]

test('operators are counted in loops and functions, with their domain', () => {
  const relu: Field = [1, [[4, 'Relu']]]
  const own: Field = [
    1,
    [
      [4, 'Gelu'],
      [7, 'com.microsoft'],
    ],
  ]
  const bytes = encode([
    [1, 8],
    [7, [relu, loop(relu, own)]],
    [8, [[2, 17]]],
    [
      25,
      [
        [1, 'f'],
        [7, [[4, 'Relu']]],
      ],
    ],
  ])
  expect([...readOnnxModel(bytes).operators]).toEqual([
    ['Relu', 3],
    ['com.microsoft.Gelu', 1],
    ['Loop', 1],
  ])
})

test('tensors in other files are refused wherever they are, by the name of the file', () => {
  const constant = (field: number, content: readonly Field[]): Field => [
    1,
    [
      [4, 'Constant'],
      [5, [[field, content]]],
    ],
  ]
  const places: Uint8Array[] = [
    withGraph([5, external]),
    withGraph([15, [[1, external]]]),
    withGraph(constant(5, external)),
    withGraph(constant(10, external)),
    withGraph(constant(22, [[2, external]])),
    withGraph(loop([5, external])),
    withGraph(loop(loop(constant(5, external)))),
    encode([
      [1, 8],
      [7, []],
      [
        25,
        [
          [
            7,
            [
              [4, 'Constant'],
              [5, [[5, external]]],
            ],
          ],
        ],
      ],
    ]),
    encode([
      [1, 8],
      [7, []],
      [25, [[11, [[5, external]]]]],
    ]),
  ]
  for (const bytes of places)
    expect(() => readOnnxModel(bytes)).toThrow(
      'the ONNX model: cannot be run: it keeps tensor "secret" in another file, "../../etc/passwd"',
    )
  const unnamed = external.slice(0, 3).concat([[14, 1]])
  expect(() => readOnnxModel(withGraph([5, unnamed]))).toThrow('it keeps tensor "secret" in another file')
})

function nested(depth: number): Field[] {
  return depth === 0 ? [] : [loop(...nested(depth - 1))]
}

test.each([
  ['nothing', new Uint8Array(), /no ONNX file/],
  ['no graph', encode([[1, 8]]), /has no graph/],
  [
    'two graphs',
    encode([
      [1, 8],
      [7, []],
      [7, []],
    ]),
    /two graphs/,
  ],
  ['graphs in graphs', withGraph(...nested(200)), /nested deeper than 8/],
  [
    'a graph for training',
    encode([
      [1, 8],
      [7, []],
      [20, []],
    ]),
    /graphs for training/,
  ],
  ['a length of 4 GiB', Uint8Array.of(8, 8, 0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f), /reaches out/],
  ['a length of 2^70', Uint8Array.of(8, 8, 0x3a, ...Array<number>(11).fill(0xff)), /no end/],
  ['a group', Uint8Array.of(8, 8, 0x3b), /no known kind/],
  ['a number for a node', withGraph([1, 7]), /no message/],
  [
    'two of a name',
    withGraph(
      [
        5,
        [
          [1, 0],
          [2, 1],
          [8, 'a'],
        ],
      ],
      [
        5,
        [
          [1, 0],
          [2, 1],
          [8, 'a'],
        ],
      ],
    ),
    /given twice/,
  ],
  [
    'a negative size',
    withGraph([
      5,
      [
        [1, -4],
        [2, 1],
        [8, 'a'],
      ],
    ]),
    /no counts/,
  ],
  [
    'too few elements',
    withGraph([
      5,
      [
        [1, 4],
        [2, 1],
        [8, 'a'],
        [9, new Uint8Array(12)],
      ],
    ]),
    /take 16 bytes, and have 12/,
  ],
  [
    'many dimensions',
    withGraph([
      11,
      [
        [1, 'x'],
        [2, [[1, [[2, Array<Field>(65).fill([1, [[1, 1]]])]]]]],
      ],
    ]),
    /64 dimensions/,
  ],
] as const)('%s: one error that names the model', (_, bytes, message) => {
  const read = () => readOnnxModel(bytes)
  expect(read).toThrow(TrexError)
  expect(read).toThrow(/^the ONNX model: /)
  expect(read).toThrow(message)
})

const MiB = 1 << 20
const filled = (head: number[], byte: number[], count: number, number: number) => {
  const body = new Uint8Array(count * byte.length)
  for (let i = 0; i < body.length; i++) body[i] = byte[i % byte.length]!
  return encode([[1, 8], [number, body], ...(head as never[])])
}

test.each([
  ['nodes', filled([], [0x0a, 0], 8 * MiB, 7)],
  ['empty tensors', filled([], [0x2a, 0], 8 * MiB, 7)],
  ['inputs', filled([], [0x5a, 0], 8 * MiB, 7)],
  [
    'dimensions',
    withGraph([11, [[2, [[1, [[2, new Uint8Array(8 * MiB).map((_, i) => (i % 2 ? 0 : 0x0a))]]]]]]]),
  ],
  [
    'packed dimensions',
    withGraph([
      5,
      [
        [1, new Uint8Array(16 * MiB)],
        [2, 1],
        [8, 'a'],
      ],
    ]),
  ],
  ['unknown fields', filled([], [0x78, 1], 8 * MiB, 7)],
  [
    'long names',
    withGraph(...Array.from({ length: 40 }, (_, i): Field => [1, [[4, `${i}${'ж'.repeat(MiB / 2 - 9)}`]]])),
  ],
] as const)('a flood of %s: one error within 2 s, in little memory', (_, bytes) => {
  const started = performance.now()
  const before = process.memoryUsage()
  expect(() => readOnnxModel(bytes)).toThrow(TrexError)
  const after = process.memoryUsage()
  expect(performance.now() - started).toBeLessThan(2000)
  const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers
  expect(grown).toBeLessThan(bytes.length + 64 * MiB) // beside the file itself
})

test('mutated files are read or refused, and nothing else', () => {
  const bytes = model({ 'trex.model': '{"version":1}' })
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.nat(bytes.length),
      (changes, end) => {
        const copy = bytes.slice(0, end % 2 ? end : bytes.length)
        for (const [place, value] of changes) copy[place] = value
        try {
          const read = readOnnxModel(copy)
          for (const name of read.initializers.keys()) read.read(name)
        } catch (error) {
          expect(error).toBeInstanceOf(TrexError)
        }
      },
    ),
    { numRuns: 3000 },
  )
})
