import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { IMPLEMENTATIONS } from '../../../../test/pixelImplementations.js'
import type { Augmentation } from '../augment.js'
import { type Box, blankImage, type RgbImage } from '../image.js'
import type { Filter } from '../resize.js'
import { Pixels } from './pixels.js'

const { plain, fast } = IMPLEMENTATIONS

function expectSame(actual: RgbImage, expected: RgbImage): void {
  expect([actual.width, actual.height]).toEqual([expected.width, expected.height])
  const wrong = actual.data.findIndex((value, i) => value !== expected.data[i])
  expect(wrong < 0 ? '' : `[${wrong}]: ${actual.data[wrong]}, not ${expected.data[wrong]}`).toBe('')
}

/** An image of noise, of only black and white (the hardest on clipping), or smooth with a little noise. */
function imageOf(width: number, height: number, kind: number, seed: number): RgbImage {
  const image = blankImage(width, height)
  let state = seed | 1
  for (let i = 0; i < image.data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    const noise = state >>> 24
    image.data[i] = kind === 0 ? noise : kind === 1 ? (noise & 1) * 255 : (i >> 3) + (noise >> 5)
  }
  return image
}

// Sides of 1, thin ones, and sides around multiples of 16.
const side = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 260 }))
const image = fc
  .tuple(side, side, fc.integer({ min: 0, max: 2 }), fc.integer())
  .map((args) => imageOf(...args))
const filter = fc.constantFrom<Filter>('bicubic', 'bilinear')
const unit = fc.double({ min: 0, max: 1, noNaN: true })

const boxIn = ({ width, height }: RgbImage): fc.Arbitrary<Box> =>
  fc.tuple(fc.integer({ min: 1, max: width }), fc.integer({ min: 1, max: height })).chain(([w, h]) =>
    fc.record({
      // The edges of the image are as likely as all else.
      left: fc.oneof(fc.constantFrom(0, width - w), fc.integer({ min: 0, max: width - w })),
      top: fc.oneof(fc.constantFrom(0, height - h), fc.integer({ min: 0, max: height - h })),
      width: fc.constant(w),
      height: fc.constant(h),
    }),
  )

const factor = fc.oneof(fc.constantFrom(0, 1, -1, 1000), fc.double({ min: 0, max: 3, noNaN: true }))
const hue = fc.double({ min: -0.5, max: 0.5, noNaN: true })
const sigma = fc.oneof(
  fc.constantFrom(0.1, 1.5, 2.5, 300),
  fc.double({ min: 0.01, max: 5, noNaN: true }),
  fc.double({ min: 5, max: 120, noNaN: true }),
)

const augmentation = (box: fc.Arbitrary<Box>): fc.Arbitrary<Augmentation> =>
  fc.record({
    box,
    flip: fc.boolean(),
    jitter: fc.option(
      fc.record({
        order: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
        brightness: factor,
        contrast: factor,
        saturation: factor,
        hue,
      }),
    ),
    gray: fc.boolean(),
    blur: fc.option(sigma),
    solarize: fc.option(fc.integer({ min: 0, max: 256 })),
    filter,
  })

describe('the fast operations equal the plain ones to the bit', () => {
  test('resize', () => {
    const cases = image.chain((i) => fc.tuple(fc.constant(i), side, side, filter, fc.option(boxIn(i))))
    fc.assert(
      fc.property(cases, ([i, w, h, f, box]) => {
        expectSame(fast.resize(i, w, h, f, box ?? undefined), plain.resize(i, w, h, f, box ?? undefined))
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    ['brightness', factor],
    ['contrast', factor],
    ['saturation', factor],
    ['hue', hue],
    ['gray', unit],
    ['solarize', fc.oneof(fc.integer({ min: -1, max: 257 }), fc.double({ min: 0, max: 256, noNaN: true }))],
    ['blur', sigma],
    ['hflip', unit],
  ])('%s', (name, value) => {
    fc.assert(
      fc.property(image, value, (i, v) => {
        expectSame(fast.changes[name]!(i, v), plain.changes[name]!(i, v))
      }),
    )
  })

  test('whole augmentations', () => {
    const cases = image.chain((i) => fc.tuple(fc.constant(i), augmentation(boxIn(i)), side))
    fc.assert(
      fc.property(cases, ([i, drawn, size]) => {
        expectSame(fast.augment(i, drawn, size), plain.augment(i, drawn, size))
      }),
    )
  })

  test('evaluation transforms', () => {
    const transform = fc.record({ resize: side, crop: side, filter })
    // Not too elongated: the plain one resizes the whole image.
    const squarish = image.filter(({ width, height }) => width < 20 * height && height < 20 * width)
    fc.assert(
      fc.property(squarish, transform, (i, t) => {
        expectSame(fast.evaluate(i, t), plain.evaluate(i, t))
      }),
    )
  })

  test.each(['rgbToHsv', 'hsvToRgb'])('%s of all colours', (name) => {
    const all = blankImage(4096, 4096)
    for (let i = 0, color = 0; i < all.data.length; i += 3, color++) {
      all.data[i] = color >> 16
      all.data[i + 1] = color >> 8
      all.data[i + 2] = color
    }
    const actual = fast.changes[name]!(all, 0)
    const expected = plain.changes[name]!(all, 0)
    expect(Buffer.compare(actual.data, expected.data)).toBe(0)
  })

  test.each([
    [1, 200_000],
    [200_000, 1],
    [3, 70_000],
  ])('an image of %i x %i', (width, height) => {
    const long = imageOf(width, height, 0, 5)
    for (const f of ['bicubic', 'bilinear'] as const) {
      expectSame(fast.resize(long, 9, 20, f), plain.resize(long, 9, 20, f))
    }
  })
})

test('weights of all scales fit their 16-bit halves: impulses of both signs', () => {
  for (const f of ['bicubic', 'bilinear'] as const) {
    for (let from = 1; from <= 12; from++) {
      for (let to = 1; to <= 40; to++) {
        const line = imageOf(from, 1, 1, from * 64 + to)
        expectSame(fast.resize(line, to, 1, f), plain.resize(line, to, 1, f))
      }
    }
  }
})

describe('memory', () => {
  test('of one large image is given up with the next one', () => {
    const pixels = new Pixels()
    pixels.load(blankImage(6000, 5000))
    pixels.resize(8, 8, 'bicubic')
    expect(pixels.bytes).toBeGreaterThan(6000 * 5000 * 3)
    pixels.load(blankImage(60, 50))
    expect(pixels.bytes).toBeLessThan(2 ** 20)
  })

  test('does not grow from crop to crop', () => {
    const pixels = new Pixels()
    const target = new Float32Array(3 * 64 * 64)
    const work = () => {
      pixels.load(imageOf(200, 150, 0, 1))
      for (let i = 0; i < 20; i++) {
        pixels.resize(64, 64, 'bicubic')
        for (let k = 0; k < 5; k++) pixels.blur(2)
        pixels.writeNormalized(new Float32Array(768), target, 0)
        pixels.read()
      }
      return pixels.bytes
    }
    const once = work()
    expect(work()).toBe(once)
  })

  test('that does not suffice is a named error, and the next image works', () => {
    const pixels = new Pixels()
    pixels.load(blankImage(1, 1))
    expect(() => pixels.resize(40_000, 40_000, 'bicubic')).toThrow(
      /no memory for the crops of an image of 1 x 1/,
    )
    pixels.load(blankImage(2, 2))
    pixels.resize(3, 3, 'bicubic')
    expect(pixels.read()).toEqual(blankImage(3, 3))
  })
})

test('calls out of order and boxes outside the image are named errors', () => {
  const pixels = new Pixels()
  expect(() => pixels.resize(1, 1, 'bicubic')).toThrow('no image is loaded')
  pixels.load(blankImage(4, 3))
  expect(() => pixels.brightness(1)).toThrow('no crop has been made')
  const box = { left: 1, top: 0, width: 4, height: 3 }
  expect(() => pixels.resize(1, 1, 'bicubic', box)).toThrow(/4 x 3 pixels at \(1, 0\) is not inside .* 4 x 3/)
  expect(() => pixels.resize(0, 1, 'bicubic')).toThrow('a side of 0 pixels')
  expect(() => pixels.load({ ...blankImage(2, 2), width: 3 })).toThrow('3 x 2 pixels has 18 bytes, not 12')
})
