import { expect, test } from 'vitest'
import { cropPct } from './timm.js'

test('timm, which rounds down, resizes to the side that was asked for', () => {
  for (let crop = 1; crop <= 400; crop++)
    for (let resize = crop; resize <= 2 * crop; resize++) {
      const share = cropPct(crop, resize)
      expect(Math.floor(crop / share) === resize && share <= 1, `${crop} of ${resize}`).toBe(true)
    }
})
