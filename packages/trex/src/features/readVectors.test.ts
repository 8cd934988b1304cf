import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TrexError } from '../errors.js'
import { EXPORT_FORMATS, exportFeatures } from './exportFeatures.js'
import { writeFeatureFile } from './featureFile.js'
import { isVectorFile, readVectors } from './readVectors.js'

const golden = (name: string) => fileURLToPath(new URL(`../../test/golden/features/${name}`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'trex-read-vectors-'))
const at = (name: string) => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true }))

const features = Float32Array.of(0.1, -2.5e-20, 3e30, 1 / 3, -0.7, 16777217)
const info = {
  ...{ version: 1 as const, encoder: 'any', computed: 'by hand', root: '/', split: 'all', leftOut: [] },
  classes: [],
  identity: {
    ...{ model: '0'.repeat(64), data: '1'.repeat(64), precision: 'fp32' as const },
    transform: {
      ...{ resize: 8, crop: 8, filter: 'bilinear' as const, autoOrient: false },
      ...{ mean: [0, 0, 0] as [number, number, number], std: [1, 1, 1] as [number, number, number] },
    },
  },
}
const paths = ['a b/ü "x".jpg', 'c.jpg']

beforeAll(() => {
  const rows = { dim: 3, features: () => [new Uint8Array(features.buffer)], labels: new Int32Array(2), paths }
  writeFeatureFile(at('all.safetensors'), info, rows)
  for (const format of EXPORT_FORMATS) exportFeatures(at('all.safetensors'), at('all'), format)
})

test.each(['all.npy', 'all.npz', 'all.parquet', 'all.jsonl', 'all.safetensors'])(
  '%s, without classes, has every bit, path and what it is of',
  async (name) => {
    expect(isVectorFile(at(name))).toBe(true)
    const { images: _, ...read } = { images: 2, ...(await readVectors(at(name))) }
    expect(read).toMatchObject({ features, dim: 3, paths, info })
  },
)

test('numpy’s own files are read, with labels or without', async () => {
  const expected = Float32Array.from({ length: 20 }, (_, i) => Math.floor(i / 4) - (i % 4) / 4)
  for (const name of ['numpy.npz', 'wide.npz', 'numpy.features.npy'])
    expect(await readVectors(golden(name))).toMatchObject({ features: expected, dim: 4, info: null })
  expect((await readVectors(golden('numpy.npz'))).paths).toHaveLength(5)
})

describe('what cannot be read is an error that says why', () => {
  test.each([
    ['gone.npz', '', 'there is no feature file'],
    ['text.txt', 'x', 'is no feature file'],
    ['a.jsonl', '{"features": [1, 2]}\n{"features": [1]}', 'row 1 of .* has no `features` of the length'],
    ['b.jsonl', '{"path": "x"}', 'row 0 of'],
    ['c.jsonl', '{"features": [1, 2]}\nno JSON', 'line 2 of .* is no JSON'],
    ['d.jsonl', '\n', 'holds no features'],
    ['e.parquet', 'PAR1', 'cannot be read'],
  ])('%s', async (name, text, message) => {
    if (text) writeFileSync(at(name), text)
    await expect(readVectors(at(name))).rejects.toThrow(TrexError)
    await expect(readVectors(at(name))).rejects.toThrow(new RegExp(message))
  })

  test.each(['all.npy', 'all.npz', 'all.parquet', 'all.jsonl', 'all.safetensors'])(
    'a mutated %s is read or a TrexError, nothing else',
    async (name) => {
      const original = readFileSync(at(name))
      const path = at(`mutated.${name.split('.').at(-1)}`)
      const edits = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { maxLength: 3 })
      await fc.assert(
        fc.asyncProperty(edits, fc.nat(original.length), fc.boolean(), async (changes, length, cut) => {
          const bytes = Uint8Array.from(original)
          for (const [place, value] of changes) bytes[place] = value
          writeFileSync(path, cut ? bytes.subarray(0, length) : bytes)
          try {
            await readVectors(path)
          } catch (error) {
            expect(error).toBeInstanceOf(TrexError)
          }
        }),
        { numRuns: 300 },
      )
    },
  )
})
