import fc from 'fast-check'
import { expect, test } from 'vitest'
import { histogramOf } from './histogram.js'

test('counts values by buckets of equal width', () => {
  const values = Float64Array.from({ length: 61 }, (_, i) => i / 2) // 0, 0.5, ..., 30
  const { min, max, count, sum, sumOfSquares, limits, counts } = histogramOf(values)
  expect({ min, max, count, sum, sumOfSquares }).toEqual({
    min: 0,
    max: 30,
    count: 61,
    sum: 915,
    sumOfSquares: (60 * 61 * 121) / 6 / 4,
  })
  expect(limits).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
  expect(counts).toEqual([...new Array(29).fill(2), 3])
})

test('equal values are one bucket, none are none, and those that are not finite are left out', () => {
  expect(histogramOf(Float32Array.of(2, Number.NaN, 2, Number.NEGATIVE_INFINITY))).toEqual({
    ...{ min: 2, max: 2, count: 2, sum: 4, sumOfSquares: 8 },
    ...{ limits: [2], counts: [2] },
  })
  expect(histogramOf(Float32Array.of(Number.NaN))).toMatchObject({ count: 0, limits: [], counts: [] })
})

test('every finite value is in the bucket that its edges say, however far apart they are', () => {
  fc.assert(
    fc.property(fc.float64Array({ noNaN: true, minLength: 2 }), (values) => {
      const finite = values.filter(Number.isFinite)
      const { count, limits, counts } = histogramOf(values)
      expect(count).toBe(finite.length)
      expect(counts.reduce((a, b) => a + b, 0)).toBe(count)
      if (count > 0) expect(limits.at(-1)).toBe(Math.max(...finite))
      expect(limits).toEqual([...limits].sort((a, b) => a - b))
      expect(counts.every((n) => Number.isInteger(n) && n >= 0)).toBe(true)
    }),
  )
})
