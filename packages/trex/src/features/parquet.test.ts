import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { writeFileAtomic } from 'trex-torch/safetensors'
import { afterAll, expect, test } from 'vitest'
import { pythonWith } from '../../test/support/python.js'
import { rngFor } from '../rng.js'
import { exportFeatures } from './exportFeatures.js'
import { type FeatureInfo, writeFeatureFile } from './featureFile.js'
import { parquetChunks } from './parquet.js'

const folder = mkdtempSync(join(tmpdir(), 'trex-parquet-'))
afterAll(() => rmSync(folder, { recursive: true }))

const rng = rngFor(3)
const dim = 2048
const rows = 2500 // three groups of rows
const features = Float32Array.from({ length: rows * dim }, () => rng.normal())
features.set([0, -0, 2 ** -149, -(2 ** 127), 1 / 3])
const labels = Int32Array.from({ length: rows }, () => rng.int(3))
const classes = ['Katze', 'собака', '']
const paths = Array.from({ length: rows }, (_, i) => (i === 1 ? 'a b/ü "x".jpg' : `c/${i % 7}/${i}.jpg`))
const info: FeatureInfo = {
  ...{ version: 1, encoder: 'any', computed: 'by hand', root: '/', split: 'all', classes, leftOut: [] },
  identity: {
    ...{ model: '0'.repeat(64), data: '1'.repeat(64), precision: 'fp32' },
    transform: {
      ...{ resize: 8, crop: 8, filter: 'bicubic', mean: [0, 0, 0], std: [1, 1, 1], autoOrient: false },
    },
  },
}
const parquet = join(folder, 'all.parquet')

test('a feature file as Parquet has every value, label, class and path', async () => {
  const file = join(folder, 'all.safetensors')
  const bytes = new Uint8Array(features.buffer)
  const halves = [bytes.subarray(0, 1001 * 4), bytes.subarray(1001 * 4)]
  writeFeatureFile(file, info, { dim, features: () => halves, labels, paths })
  expect(exportFeatures(file, join(folder, 'all'), 'parquet')).toEqual([parquet])
  expect(readdirSync(folder).sort()).toEqual(['all.parquet', 'all.safetensors'])

  const buffer = await asyncBufferFromFile(parquet)
  const metadata = await parquetMetadataAsync(buffer)
  expect(metadata.row_groups.map((group) => Number(group.num_rows))).toEqual([1024, 1024, 452])
  expect(metadata.key_value_metadata?.map(({ key, value }) => [key, JSON.parse(value!)])).toEqual([
    ['trex.features', { ...info, images: rows, dim }],
  ])
  const read = await parquetReadObjects({ file: buffer })
  expect(read.map((row) => row.path)).toEqual(paths)
  expect(read.map((row) => row.label)).toEqual(Array.from(labels, BigInt))
  expect(read.map((row) => row.class)).toEqual(Array.from(labels, (label) => classes[label]))
  const values = Float32Array.from(read.flatMap((row) => row.features as number[]))
  expect(Buffer.from(values.buffer).equals(Buffer.from(features.buffer))).toBe(true)
})

test('no rows at all are a file as well', async () => {
  const empty = join(folder, 'empty.parquet')
  const none = new Float32Array()
  const table = { dim: 4, labels: new Int32Array(), classes, paths: [], features: () => none, info: '{}' }
  writeFileAtomic(empty, parquetChunks(table))
  expect(await parquetReadObjects({ file: await asyncBufferFromFile(empty) })).toEqual([])
})

const { python, why } = pythonWith('pyarrow')

test.skipIf(python === null)(`pyarrow reads it${why}`, () => {
  const program = `
import json, sys, pyarrow.parquet as pq
t = pq.read_table(sys.argv[1])
x = t['features'].combine_chunks().values.to_numpy()
print(json.dumps([str(t.schema.field('features').type), x.astype('<f4').tobytes()[:40].hex(), len(x), float(x.astype('f8').sum()),
    t['path'].to_pylist()[1], t['label'].to_pylist()[:9], t['class'].to_pylist()[:9]]))`
  const [type, head, length, sum, path, ...some] = JSON.parse(
    execFileSync(python!, ['-c', program, parquet], { encoding: 'utf8' }),
  )
  expect(type).toMatch(/^list<element: float/)
  expect([head, length]).toEqual([Buffer.from(features.buffer, 0, 40).toString('hex'), features.length])
  expect(sum).toBeCloseTo(
    features.reduce((a, b) => a + b, 0),
    -30,
  )
  expect([path, ...some]).toEqual([
    paths[1],
    [...labels.subarray(0, 9)],
    Array.from(labels.subarray(0, 9), (label) => classes[label]),
  ])
})
