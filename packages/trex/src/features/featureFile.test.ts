import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { pythonWith } from '../../test/support/python.js'
import { TrexError } from '../errors.js'
import { exportFeatures } from './exportFeatures.js'
import { checkFeatureFile, type FeatureInfo, readFeatureFile, writeFeatureFile } from './featureFile.js'
import { readFeatures } from './readFeatures.js'

const folder = mkdtempSync(join(tmpdir(), 'trex-feature-file-'))
afterAll(() => rmSync(folder, { recursive: true }))

const info: FeatureInfo = {
  version: 1,
  identity: {
    model: 'a'.repeat(64),
    data: 'b'.repeat(64),
    transform: {
      ...{ resize: 224, crop: 224, filter: 'bicubic', autoOrient: false },
      ...{ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    },
    precision: 'fp32',
  },
  encoder: 'resnet18 of weights.pth',
  computed: 'libtorch 2.13.0, cpu',
  root: 'photos',
  split: 'train',
  classes: ['cat', 'dög'],
  leftOut: [{ index: 1, path: 'photos/cat/\ud800.jpg', reason: 'it is no image' }],
}
const features = Float32Array.of(1.5, -2, 3e-9, 4, 5, 6e8)
const labels = Int32Array.of(0, 1, 1)
const paths = ['cat/1.jpg', 'dög/\n2.jpg', '']

function written(name: string): string {
  const path = join(folder, name)
  const bytes = new Uint8Array(features.buffer)
  const pieces = () => [bytes.subarray(0, 7), bytes.subarray(7)]
  writeFeatureFile(path, info, { dim: 2, features: pieces, labels, paths })
  return path
}

test('what is written is read', () => {
  const path = written('whole.safetensors')
  expect(readFeatures(path)).toEqual({ features, labels, dim: 2, paths, info })
  expect(checkFeatureFile(path)).toEqual({ ...info, images: 3, dim: 2 })
})

test('a file with any byte changed, or cut anywhere, is a TrexError', () => {
  const path = written('damaged.safetensors')
  const original = readFileSync(path)
  const headerEnd = 8 + Number(original.readBigUInt64LE(0))
  const change = fc.tuple(fc.nat(original.length - 1), fc.integer({ min: 1, max: 255 }))
  fc.assert(
    fc.property(change, fc.nat(original.length - 1), fc.boolean(), ([at, by], length, cut) => {
      const bytes = Uint8Array.from(original)
      bytes[at]! ^= by
      writeFileSync(path, cut ? bytes.subarray(0, length) : bytes)
      for (const read of [checkFeatureFile, readFeatureFile])
        try {
          const found = read(path)
          // A space of the header may become another: nothing that is read differs.
          expect(at).toBeLessThan(headerEnd)
          if ('features' in found) expect(found).toEqual({ features, labels, dim: 2, paths, info })
        } catch (error) {
          expect(error).toBeInstanceOf(TrexError)
        }
    }),
    { numRuns: 500 },
  )
})

const { python, why } = pythonWith('numpy')

test('npy and npz are read again, the same each time they are written', () => {
  const path = written('numbers.safetensors')
  const npz = exportFeatures(path, join(folder, 'numbers'), 'npz')
  const npy = exportFeatures(path, join(folder, 'numbers'), 'npy')
  expect(npz).toEqual([join(folder, 'numbers.npz')])
  expect(readdirSync(folder).filter((name) => /^numbers\..*(npy|json)$/.test(name))).toHaveLength(npy.length)
  for (const file of [npz[0]!, npy[0]!])
    expect(readFeatures(file)).toEqual({ features, labels, dim: 2, paths, info: null })
  expect(JSON.parse(readFileSync(join(folder, 'numbers.json'), 'utf8'))).toEqual({
    ...info,
    images: 3,
    dim: 2,
  })
  const before = readFileSync(npz[0]!)
  exportFeatures(path, join(folder, 'numbers'), 'npz')
  expect(readFileSync(npz[0]!).equals(before)).toBe(true)
})

test.skipIf(python === null)(`numpy reads them${why}`, () => {
  const path = written('numpy.safetensors')
  exportFeatures(path, join(folder, 'numpy'), 'npz')
  exportFeatures(path, join(folder, 'numpy'), 'npy')
  const program = `
import json, sys, zipfile, numpy as np
base = sys.argv[1]
z = np.load(base + '.npz')
assert zipfile.ZipFile(base + '.npz').testzip() is None
for part in 'features', 'labels', 'paths':
    a = np.load(f'{base}.{part}.npy')
    assert a.dtype == z[part].dtype and (a == z[part]).all() and a.flags.c_contiguous
info = json.loads(bytes(z['info']))
print(json.dumps([z['features'].astype(float).tolist(), str(z['features'].dtype), z['labels'].tolist(), str(z['labels'].dtype),
    [p.decode() for p in z['paths']], info['classes']]))`
  const said = execFileSync(python!, ['-c', program, join(folder, 'numpy')], { encoding: 'utf8' })
  const rows = [features.slice(0, 2), features.slice(2, 4), features.slice(4)].map((row) => [...row])
  expect(JSON.parse(said)).toEqual([rows, 'float32', [...labels], 'int64', paths, info.classes])
})
