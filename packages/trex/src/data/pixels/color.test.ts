import { describe, expect, test } from 'vitest'
import {
  expectImage,
  goldenArray,
  goldenImage,
  goldenMeta,
  goldenNames,
} from '../../../test/augmentGolden.js'
import { EACH_IMPLEMENTATION } from '../../../test/pixelImplementations.js'
import { luma } from './color.js'

describe.each(EACH_IMPLEMENTATION)('%s: colour changes equal Pillow to the bit', (_, { changes }) => {
  const factors = goldenMeta<Record<string, number[]>>('factors')
  test.each(goldenNames(/^[AB]\.(brightness|contrast|saturation|hue|gray|solarize|hflip)\d*$/))(
    '%s',
    (name) => {
      const [, source, change, index] = /^([AB])\.([a-z]+)(\d*)$/.exec(name)!
      const image = goldenImage(`${source}.input`)
      const value = change === 'solarize' ? 128 : factors[change!]?.[Number(index)]
      expectImage(changes[change!]!(image, value ?? Number.NaN), name)
    },
  )

  test.each([
    ['grid.rgb', 'rgbToHsv', 'grid.hsv'],
    ['grid.hsv', 'hsvToRgb', 'grid.hsv_to_rgb'],
    ['grid2.hsv', 'hsvToRgb', 'grid2.rgb'],
  ] as const)('%s', (from, convert, to) => {
    expectImage(changes[convert]!(goldenImage(from), Number.NaN), to)
  })
})

test('luma', () => {
  for (const source of ['A.input', 'B.input', 'grid.rgb']) {
    const { data } = goldenImage(source)
    const expected = goldenArray(source.replace(/\..*/, '.L'))
    for (let i = 0; i < expected.length; i++) {
      expect(luma(data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!)).toBe(expected[i])
    }
  }
})
