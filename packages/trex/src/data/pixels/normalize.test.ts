import { describe, expect, test } from 'vitest'
import { goldenArray, goldenImage } from '../../../test/augmentGolden.js'
import { EACH_IMPLEMENTATION } from '../../../test/pixelImplementations.js'
import { IMAGENET_NORMALIZATION, normalizationTable } from './normalize.js'

describe.each(EACH_IMPLEMENTATION)('%s', (_, { writeNormalized }) => {
  test.each([
    ['A.input', 'A.tensor'],
    ['chain0.u8', 'chain0.tensor'],
    ['chain3.u8', 'chain3.tensor'],
  ])('%s normalised equals torch to the bit', (from, to) => {
    const expected = goldenArray(to) as Float32Array
    const out = new Float32Array(expected.length + 2)
    writeNormalized(goldenImage(from), normalizationTable(IMAGENET_NORMALIZATION), out, 1)
    expect(out.subarray(1, -1)).toEqual(expected)
    expect([out[0], out.at(-1)]).toEqual([0, 0])
  })
})
