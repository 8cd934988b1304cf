import { describe, expect, test } from 'vitest'
import {
  expectImage,
  goldenArray,
  goldenImage,
  goldenMeta,
  goldenNames,
} from '../../../test/augmentGolden.js'
import {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  hsvToRgb,
  luma,
  rgbToHsv,
  solarize,
  toGrayscale,
} from './color.js'
import { flipHorizontal, type RgbImage } from './image.js'

const CHANGES: Record<string, (image: RgbImage, factor: number) => void> = {
  brightness: adjustBrightness,
  contrast: adjustContrast,
  saturation: adjustSaturation,
  hue: adjustHue,
  gray: toGrayscale,
  solarize: (image) => solarize(image),
  hflip: flipHorizontal,
}

describe('colour changes equal Pillow to the bit', () => {
  const factors = goldenMeta<Record<string, number[]>>('factors')
  test.each(goldenNames(/^[AB]\.(brightness|contrast|saturation|hue|gray|solarize|hflip)\d*$/))(
    '%s',
    (name) => {
      const [, source, change, index] = /^([AB])\.([a-z]+)(\d*)$/.exec(name)!
      const image = goldenImage(`${source}.input`)
      CHANGES[change!]!(image, factors[change!]?.[Number(index)] ?? Number.NaN)
      expectImage(image, name)
    },
  )

  test('luma', () => {
    for (const source of ['A.input', 'B.input', 'grid.rgb']) {
      const { data } = goldenImage(source)
      const expected = goldenArray(source.replace(/\..*/, '.L'))
      for (let i = 0; i < expected.length; i++) {
        expect(luma(data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!)).toBe(expected[i])
      }
    }
  })

  test.each([
    ['grid.rgb', rgbToHsv, 'grid.hsv'],
    ['grid.hsv', hsvToRgb, 'grid.hsv_to_rgb'],
    ['grid2.hsv', hsvToRgb, 'grid2.rgb'],
  ] as const)('%s', (from, convert, to) => {
    const { data, width, height } = goldenImage(from)
    const out = new Uint8Array(data.length)
    for (let i = 0; i < data.length; i += 3) convert(data[i]!, data[i + 1]!, data[i + 2]!, out, i)
    expectImage({ data: out, width, height }, to)
  })
})
