import { expect, test } from 'vitest'
import { IMAGENET_NORMALIZATION, normalizationTable, writeNormalized } from '../data/normalize.js'
import { denormalize } from './pictures.js'

test('undoes the normalisation of every 8-bit value of every channel', () => {
  const data = Uint8Array.from({ length: 256 * 3 }, (_, i) =>
    i % 3 === 1 ? 255 - Math.floor(i / 3) : Math.floor(i / 3),
  )
  const crop = new Float32Array(256 * 3)
  writeNormalized({ width: 16, height: 16, data }, normalizationTable(IMAGENET_NORMALIZATION), crop, 0)
  expect(denormalize(crop, 16, 16)).toEqual({ width: 16, height: 16, data })
})

test('clamps and refuses a wrong size', () => {
  const unit = { mean: [0, 0, 0], std: [1, 1, 1] } as const
  expect([...denormalize(Float32Array.of(-1, 0.5, 2), 1, 1, unit).data]).toEqual([0, 128, 255])
  expect(() => denormalize(new Float32Array(5), 1, 1)).toThrow('3 x 1 x 1 has 3 values, not 5')
})
