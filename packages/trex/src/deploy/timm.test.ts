import { expect, test } from 'vitest'
import { cropPct } from './timm.js'

test('timm, which rounds down, resizes to the side that was asked for', () => {
  const wrong: string[] = []
  for (let crop = 1; crop <= 400; crop++)
    for (let resize = crop; resize <= 2 * crop; resize++) {
      const share = cropPct(crop, resize)
      if (Math.floor(crop / share) !== resize || share > 1) wrong.push(`${crop} of ${resize}`)
    }
  expect(wrong).toEqual([])
})
