import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { afterAll, expect, test } from 'vitest'
import { TrexError } from '../errors.js'
import { draftGraph } from '../onnx/graph.js'
import { writeModel } from '../onnx/writeModel.js'
import { type LoadOptions, loadEncoder } from './loadEncoder.js'

const folder = mkdtempSync(join(tmpdir(), 'trex-graphs-'))
afterAll(() => rmSync(folder, { recursive: true }))

const prepared = (side: number): LoadOptions => ({
  preprocess: { resize: side, crop: side, filter: 'bilinear', mean: [0, 0, 0], std: [1, 1, 1] },
  threads: 1,
})
const options = prepared(8)
const image = { data: new Uint8Array(192).fill(255), width: 8, height: 8 }

/** features = the mean of each channel times w [3, 64]. */
function graph() {
  const g = draftGraph('float32')
  const pooled = g.node('flat', 'Flatten', [g.node('pooled', 'GlobalAveragePool', ['x'])], { axis: 1 })
  const weight = g.weight('w', [3, 64], () => Float32Array.from({ length: 192 }, (_, i) => i))
  g.node('features', 'MatMul', [pooled, weight])
  return g.finish(
    [{ name: 'x', type: 'float32', dims: ['batch', 3, 8, 8] }],
    [{ name: 'features', type: 'float32', dims: ['batch', 64] }],
  )
}

/** The bytes of a message of fields. */
type Field = readonly [number: number, content: number | string | readonly Field[]]
function encode(fields: readonly Field[]): Uint8Array {
  const out = new BinaryWriter()
  for (const [number, content] of fields)
    if (typeof content === 'number') out.tag(number, WireType.Varint).int64(content)
    else if (typeof content === 'string') out.tag(number, WireType.LengthDelimited).string(content)
    else out.tag(number, WireType.LengthDelimited).bytes(encode(content))
  return out.finish()
}

test('a graph whose weights are in another file is refused before the runtime opens that', async () => {
  const tensor: Field[] = [
    ...[3, 64].map((dim): Field => [1, dim]),
    ...([
      [2, 1],
      [8, 'far'],
      [
        13,
        [
          [1, 'location'],
          [2, 'secret.bin'],
        ],
      ],
      [14, 1],
    ] as const),
  ]
  const value = (name: string, dims: readonly number[]): Field[] => [
    [1, name],
    [
      2,
      [
        [
          1,
          [
            [1, 1],
            [2, dims.map((dim): Field => [1, [[1, dim]]])],
          ],
        ],
      ],
    ],
  ]
  const bytes = encode([
    [1, 8],
    [
      7,
      [
        [
          1,
          [
            [1, 'x'],
            [2, 'pooled'],
            [4, 'GlobalAveragePool'],
          ],
        ],
        [
          1,
          [
            [1, 'pooled'],
            [2, 'flat'],
            [4, 'Flatten'],
          ],
        ],
        [
          1,
          [
            [1, 'flat'],
            [1, 'far'],
            [2, 'features'],
            [4, 'MatMul'],
          ],
        ],
        [2, 'g'],
        [5, tensor],
        [11, value('x', [1, 3, 8, 8])],
        [12, value('features', [1, 64])],
      ],
    ],
    [8, [[2, 17]]],
  ])
  const path = join(folder, 'far.onnx')
  writeFileSync(path, bytes)
  writeFileSync(join(folder, 'secret.bin'), new Uint8Array(4 * 192)) // ONNX Runtime would read it
  for (const model of [path, bytes])
    await expect(loadEncoder(model, options)).rejects.toThrow(
      /keeps tensor "far" in another file, "secret\.bin"/,
    )
})

test('what the runtime says of a graph that it cannot run is one named error', async () => {
  await using fine = await loadEncoder(writeModel(graph()), options)
  expect((await fine.embed(image)).features[1]).toBeCloseTo(1 + 65 + 129, 4)
  const failed = loadEncoder(writeModel(graph()), prepared(9))
  await expect(failed).rejects.toThrow(/^ONNX Runtime cannot run the model on images \[1,3,9,9\]: /)
  await expect(failed).rejects.toThrow(TrexError)
})

test.each([
  [{ crop: 1e9 }, /crop/],
  [{ resize: 1e12 }, /resize/],
  [{ std: [1, 0, 1] as [number, number, number] }, /std/],
  [{ mean: [0, Number.NaN, 0] as [number, number, number] }, /mean/],
])('images that would be prepared with %o are refused before memory is taken', async (part, what) => {
  const preprocess = { ...options.preprocess, ...part }
  const description = { version: 1, encoder: null, featureDim: 64, preprocess }
  const described = writeModel(graph(), { 'trex.model': JSON.stringify(description) })
  await expect(loadEncoder(described)).rejects.toThrow(what)
  await expect(loadEncoder(writeModel(graph()), { preprocess })).rejects.toThrow(what)
})

test('a folder whose preprocessor_config.json is no settings file is one named error', async () => {
  const dir = join(folder, 'hub')
  mkdirSync(dir)
  writeFileSync(join(dir, 'model.onnx'), writeModel(graph()))
  const config = join(dir, 'preprocessor_config.json')
  writeFileSync(config, '')
  truncateSync(config, 3 * 2 ** 30)
  await expect(loadEncoder(dir)).rejects.toThrow(/preprocessor_config\.json: it is too large for settings/)
  const sizes = { size: { shortest_edge: 1e9 }, crop_size: 1e9 }
  writeFileSync(config, JSON.stringify(sizes))
  await expect(loadEncoder(dir)).rejects.toThrow(/crop/)
  writeFileSync(config, '{"__proto__": {"size": 8, "crop_pct": 1}}')
  await expect(loadEncoder(dir)).rejects.toThrow(/images are not resized/)
})
