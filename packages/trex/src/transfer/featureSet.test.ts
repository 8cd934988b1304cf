import { expect, test } from 'vitest'
import { openGolden } from '../../test/support/golden.js'
import { normalizeFeatures, selectRows } from './featureSet.js'

const golden = openGolden('g_linear')

test.each(['none', 'l2'] as const)('features normalised by %s equal the golden ones', (norm) => {
  for (const [x, y, part] of [
    ['X', 'Y', 'train'],
    ['XT', 'YT', 'test'],
  ] as const) {
    const set = { features: golden.f32(x), dim: 64, labels: Int32Array.from(golden.i64(y), Number) }
    const { features } = normalizeFeatures(set, norm)
    const expected = golden.f32(`norm.${norm}.${part}.first8rows`)
    for (const [i, value] of expected.entries())
      expect(Math.abs(features[i]! - value)).toBeLessThan(1e-7 * (1 + Math.abs(value)))
  }
})

test('a zero row stays zero under l2', () => {
  const zero = { features: new Float32Array(3), dim: 3, labels: new Int32Array(1) }
  expect([...normalizeFeatures(zero, 'l2').features]).toEqual([0, 0, 0])
})

test('selectRows copies the rows asked for, in their order', () => {
  const set = { features: Float32Array.of(1, 2, 3, 4, 5, 6), dim: 2, labels: Int32Array.of(7, 8, 9) }
  expect(selectRows(set, Uint32Array.of(2, 0))).toEqual({
    features: Float32Array.of(5, 6, 1, 2),
    dim: 2,
    labels: Int32Array.of(9, 7),
  })
})
