import { describe, expect, test } from 'vitest'
import { expectImage, goldenImage, goldenNames } from '../../../test/augmentGolden.js'
import { EACH_IMPLEMENTATION } from '../../../test/pixelImplementations.js'
import { centerCrop, resizeShortestSide, TRANSFER_TRANSFORM, VALIDATION_TRANSFORM } from './evalTransform.js'

const TRANSFORMS = {
  val256_224: VALIDATION_TRANSFORM,
  transfer224: TRANSFER_TRANSFORM,
  val36_32: { resize: 36, crop: 32, filter: 'bilinear' },
  transfer32: { resize: 32, crop: 32, filter: 'bicubic' },
} as const

describe.each(EACH_IMPLEMENTATION)(
  '%s: evaluation transforms equal torchvision to the bit',
  (_, { evaluate }) => {
    for (const source of ['A', 'B']) {
      test.each(Object.entries(TRANSFORMS))(`${source} %s`, (name, transform) => {
        expectImage(evaluate(goldenImage(`${source}.input`), transform), `${source}.${name}`)
      })
    }
  },
)

describe('parts of the evaluation transform equal torchvision to the bit', () => {
  test('A.resize256', () => {
    expectImage(resizeShortestSide(goldenImage('A.input'), 256, 'bilinear'), 'A.resize256.u8')
  })
  test.each(goldenNames(/\.center/))('%s', (name) => {
    const size = Number(/center(\d+)/.exec(name)![1])
    expectImage(centerCrop(goldenImage(name.replace(/center.*/, 'input')), size), name)
  })
})

test('sides 71x97, 128x64 resize to the sizes torchvision gives', () => {
  const size = (source: string, side: number) => {
    const { width, height } = resizeShortestSide(goldenImage(source), side, 'bicubic')
    return [height, width]
  }
  expect(size('A.input', 256)).toEqual([256, 349])
  expect(size('A.input', 224)).toEqual([224, 306])
  expect(size('B.input', 256)).toEqual([512, 256])
  expect(size('B.input', 224)).toEqual([448, 224])
})
