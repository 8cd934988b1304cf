import { describe, expect, test } from 'vitest'
import { expectImage, goldenImage, goldenMeta, goldenNames } from '../../../test/augmentGolden.js'
import { EACH_IMPLEMENTATION } from '../../../test/pixelImplementations.js'
import { boxRadius } from './blur.js'

describe.each(EACH_IMPLEMENTATION)('%s: the blur equals Pillow to the bit', (_, { changes }) => {
  const radii = goldenMeta<number[]>('radii')
  test.each(goldenNames(/\.blur\d$/))('%s', (name) => {
    const image = goldenImage(name.replace(/blur\d/, 'input'))
    expectImage(changes.blur!(image, radii[Number(name.at(-1))]!), name)
  })
})

test('three boxes of boxRadius have the variance of the Gaussian', () => {
  for (const sigma of [0.1, 0.7, 1, 2, 5]) {
    const r = boxRadius(sigma)
    const whole = Math.floor(r)
    const weight = r - whole // of the two outermost pixels
    let sum = 0
    for (let i = 1; i <= whole; i++) sum += 2 * i * i
    const variance = (sum + 2 * weight * (whole + 1) ** 2) / (2 * r + 1)
    expect(3 * variance).toBeCloseTo(sigma * sigma, 10)
  }
})
