import { describe, expect, test } from 'vitest'
import { expectImage, goldenImage, goldenMeta, goldenNames } from '../../../test/augmentGolden.js'
import { EACH_IMPLEMENTATION } from '../../../test/pixelImplementations.js'
import type { Filter } from './resize.js'
import { resizeImage } from './resize.js'

type Boxes = Record<string, [[number, number, number, number], number][]>

describe.each(EACH_IMPLEMENTATION)('%s: resizing equals Pillow to the bit', (_, { resize }) => {
  const boxes = goldenMeta<Boxes>('boxes')
  test.each(goldenNames(/^[AB]\.rrc/))('%s', (name) => {
    const [source, rrc, filter] = name.split('.') as [string, string, string?]
    const [[top, left, height, width], size] = boxes[source]![Number(rrc.slice(3))]!
    const box = { top, left, height, width }
    expectImage(
      resize(goldenImage(`${source}.input`), size, size, filter === 'bilinear' ? filter : 'bicubic', box),
      name,
    )
  })

  test.each(goldenNames(/^impulse\.bi/))('%s', (name) => {
    const [, filter, size] = /(bicubic|bilinear)(\d+)/.exec(name)!
    expectImage(resize(goldenImage('impulse.input'), Number(size), Number(size), filter as Filter), name)
  })
})

test('an unchanged size is a copy', () => {
  const image = goldenImage('A.input')
  const copy = resizeImage(image, image.width, image.height, 'bicubic')
  expect(copy.data).toEqual(image.data)
  expect(copy.data).not.toBe(image.data)
})
