import fc from 'fast-check'
import { isCudaAvailable, liveTensors, tidy } from 'trex-torch'
import { afterAll, describe, expect, test } from 'vitest'
import { hostReads } from '../../test/support/hostReads.js'
import {
  IMAGENET_NORMALIZATION,
  type Normalization,
  normalizationTable,
  writeNormalized,
} from '../data/pixels/normalize.js'
import { type ImageTarget, imageTensor } from './imageTensor.js'

const SIDE = 16
/** One image that holds every 8-bit value of every channel, each channel in an order of its own. */
const EVERY_VALUE = Uint8Array.from(
  { length: 3 * 256 },
  (_, i) => (Math.floor(i / 3) * [1, 3, 7][i % 3]!) & 255,
)

hostReads(() => {}) // before any operator is looked up

/** Values as bits: NaN and signed zeros count as what they are. */
const bits = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength)

function fromBytes(normalization: Normalization, target: ImageTarget, size = 2): Float32Array {
  const images = new Uint8Array(new SharedArrayBuffer(size * EVERY_VALUE.length))
  for (let i = 0; i < size; i++) images.set(EVERY_VALUE, i * EVERY_VALUE.length)
  return tidy(() => {
    const x = imageTensor({ images, size, normalization }, target)
    images.fill(0) // the loader may fill it anew
    expect(x.shape).toEqual([size, 3, SIDE, SIDE])
    expect(x.isContiguous(target.channelsLast ? 'channelsLast' : 'contiguous')).toBe(true)
    return x.toFloat32Array()
  })
}

function fromTable(normalization: Normalization, size = 2): Float32Array {
  const values = new Float32Array(size * EVERY_VALUE.length)
  const table = normalizationTable(normalization)
  for (let i = 0; i < size; i++)
    writeNormalized({ data: EVERY_VALUE, width: SIDE, height: SIDE }, table, values, i * EVERY_VALUE.length)
  return values
}

const cuda = isCudaAvailable()
const DEVICES = [
  { device: 'cpu', name: 'cpu', skip: false },
  { device: 'cuda', name: cuda ? 'cuda' : 'cuda (skipped: libtorch sees no CUDA device)', skip: !cuda },
] as const

for (const { device, name, skip } of DEVICES)
  describe.skipIf(skip)(`bytes become on ${name} what the table says, to the bit`, () => {
    const targets = [true, false].map((channelsLast) => ({
      precision: { device, dtype: null },
      channelsLast,
    }))

    test.each<[string, Normalization]>([
      ['ImageNet', IMAGENET_NORMALIZATION],
      ['one half', { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }],
      ['none', { mean: [0, 0, 0], std: [1, 1, 1] }],
      ['odd', { mean: [1 / 3, 0.1307, -Math.PI], std: [1 / 7, 0.3081, 255] }],
    ])('%s', (_, normalization) => {
      for (const target of targets)
        expect(bits(fromBytes(normalization, target)).equals(bits(fromTable(normalization)))).toBe(true)
    })

    test('any', () => {
      const of = (min: number, max: number) => fc.double({ min, max, noNaN: true })
      const three = (one: fc.Arbitrary<number>) => fc.tuple(one, one, one)
      fc.assert(
        fc.property(three(of(-2, 2)), three(of(1e-3, 10)), (mean, std) => {
          const expected = bits(fromTable({ mean, std }, 1))
          expect(bits(fromBytes({ mean, std }, targets[0]!, 1)).equals(expected)).toBe(true)
        }),
      )
    })

    test('without the host waiting, and nothing but the result is left', () => {
      for (const target of targets) {
        const before = liveTensors()
        const images = { images: EVERY_VALUE, size: 1, normalization: IMAGENET_NORMALIZATION }
        tidy(() => {
          expect(hostReads(() => void imageTensor(images, target))).toEqual([])
          expect(liveTensors()).toBe(before + 1)
        })
      }
    })
  })

const cpu = { precision: { device: 'cpu', dtype: null }, channelsLast: false } as const

test('values in shared memory are copied as well', () => {
  const images = new Float32Array(new SharedArrayBuffer(4 * EVERY_VALUE.length))
  images.set(fromTable(IMAGENET_NORMALIZATION, 1))
  const expected = images.slice()
  tidy(() => {
    const x = imageTensor({ images, size: 1, normalization: IMAGENET_NORMALIZATION }, cpu)
    images.fill(0)
    expect(x.toFloat32Array()).toEqual(expected)
  })
})

afterAll(() => expect(liveTensors()).toBe(0))
