import { expect, test } from 'vitest'
import { goldenImage } from '../../../../test/augmentGolden.js'
import { TREX } from '../../../recipes.js'
import { cropGroups } from '../../../settings.js'
import { applyEvalTransform, VALIDATION_TRANSFORM } from '../evalTransform.js'
import { multiCrop } from '../multiCrop.js'
import { IMAGENET_NORMALIZATION, normalizationTable, normalizedCrops, writeNormalized } from '../normalize.js'
import { fillCrops, fillEvalCrop } from './fillCrops.js'
import { Pixels } from './pixels.js'

const table = normalizationTable(IMAGENET_NORMALIZATION)
const images = [goldenImage('A.input'), goldenImage('B.input')]
const batch = images.length

const newTargets = (shapes: { count: number; size: number }[]) =>
  shapes.map(
    ({ count, size }) => new Float32Array(new SharedArrayBuffer(4 * count * batch * 3 * size * size)),
  )

/** Compared as bytes: toEqual takes seconds for so many numbers. */
const sameBits = (a: Float32Array[], b: Float32Array[]) =>
  a.every((array, g) => Buffer.compare(Buffer.from(array.buffer), Buffer.from(b[g]!.buffer)) === 0)

const groups = cropGroups(TREX)

test('fillCrops writes the crops of multiCrop, crop-major', () => {
  const pixels = new Pixels()
  for (let epoch = 0; epoch < 4; epoch++) {
    const actual = newTargets(groups)
    const expected = newTargets(groups)
    images.forEach((image, row) => {
      const key = { seed: 3, epoch, sample: 10 + row }
      fillCrops(pixels, image, groups, key, { targets: actual, batch, row, table })
      multiCrop(image, groups, key).forEach((crops, g) => {
        crops.forEach((crop, c) => {
          writeNormalized(crop, table, expected[g]!, (c * batch + row) * crop.data.length)
        })
      })
    })
    expect(sameBits(actual, expected)).toBe(true)
  }
})

test('fillCrops writes bytes as they are, which become the same values', () => {
  const bytes = groups.map(({ count, size }) => new Uint8Array(count * batch * 3 * size * size))
  const expected = newTargets(groups)
  const pixels = new Pixels()
  images.forEach((image, row) => {
    const key = { seed: 3, epoch: 1, sample: 10 + row }
    fillCrops(pixels, image, groups, key, { targets: bytes, batch, row, table })
    fillCrops(pixels, image, groups, key, { targets: expected, batch, row, table })
    multiCrop(image, groups, key).forEach((crops, g) => {
      crops.forEach(({ data }, c) => {
        const at = (c * batch + row) * data.length
        expect(Buffer.compare(bytes[g]!.subarray(at, at + data.length), data)).toBe(0)
      })
    })
  })
  const values = bytes.map((array, g) => normalizedCrops(array, groups[g]!.size, IMAGENET_NORMALIZATION))
  expect(sameBits(values, expected)).toBe(true)
})

test('fillEvalCrop writes the crop of applyEvalTransform', () => {
  const shapes = [{ count: 1, size: VALIDATION_TRANSFORM.crop }]
  const actual = newTargets(shapes)
  const expected = newTargets(shapes)
  const pixels = new Pixels()
  images.forEach((image, row) => {
    fillEvalCrop(pixels, image, VALIDATION_TRANSFORM, { targets: actual, row, table })
    const crop = applyEvalTransform(image, VALIDATION_TRANSFORM)
    writeNormalized(crop, table, expected[0]!, row * crop.data.length)
  })
  expect(sameBits(actual, expected)).toBe(true)
})
