import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { TrexError } from '../errors.js'
import { readFeatures } from './readFeatures.js'

// The files are numpy's and PyTorch's (test/featureFixtures.py): X[i, j] = i - j / 4, Y[i] = i % 3.

const golden = (name: string) => fileURLToPath(new URL(`../../test/golden/features/${name}`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'trex-read-features-'))
afterAll(() => rmSync(folder, { recursive: true }))

const features = Float32Array.from({ length: 20 }, (_, at) => Math.floor(at / 4) - (at % 4) / 4)
const labels = Int32Array.of(0, 1, 2, 0, 1)

test.each(['numpy.npz', 'wide.npz', 'numpy.features.npy', 'original.pth'])('%s', (name) => {
  const read = readFeatures(golden(name))
  expect(read).toMatchObject({ features, labels, dim: 4, info: null })
  const paths = name === 'numpy.npz' ? Array.from(labels, (_, i) => `klasse/bild${i}ä.jpg`) : null
  expect(read.paths).toEqual(paths)
})

describe('what cannot be read is an error that says why', () => {
  test.each([
    ['compressed.npz', 'compressed'],
    ['fortran.npz', 'features.npy of .* is in Fortran order'],
    ['half.npz', 'elements of type <f2'],
    ['swapped.npz', 'not numbers of \\[n, dim\\] and whole ones of \\[n\\]'],
    ['short.pth', 'labels of \\[3\\]'],
    ['none.npz', 'there is no feature file'],
  ])('%s', (name, message) => {
    expect(() => readFeatures(golden(name))).toThrow(TrexError)
    expect(() => readFeatures(golden(name))).toThrow(new RegExp(message))
  })

  test('features without their labels, and other files', () => {
    const alone = join(folder, 'alone.features.npy')
    copyFileSync(golden('numpy.features.npy'), alone)
    expect(() => readFeatures(alone)).toThrow('has no labels beside it')
    const text = join(folder, 'features.txt')
    writeFileSync(text, '')
    expect(() => readFeatures(text)).toThrow('is no feature file')
  })

  test.each(['numpy.npz', 'numpy.features.npy', 'original.pth'])(
    'a mutated %s is read or a TrexError, nothing else',
    (name) => {
      const original = readFileSync(golden(name))
      const path = join(folder, name)
      copyFileSync(golden('numpy.labels.npy'), join(folder, 'numpy.labels.npy'))
      const edits = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { maxLength: 3 })
      fc.assert(
        fc.property(edits, fc.nat(original.length), fc.boolean(), (changes, length, cut) => {
          const bytes = Uint8Array.from(original)
          for (const [at, value] of changes) bytes[at] = value
          writeFileSync(path, cut ? bytes.subarray(0, length) : bytes)
          try {
            readFeatures(path)
          } catch (error) {
            expect(error).toBeInstanceOf(TrexError)
          }
        }),
        { numRuns: 300 },
      )
    },
  )
})
