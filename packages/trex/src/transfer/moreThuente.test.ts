import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LinePoint } from './lineSearch.js'
import { moreThuente } from './moreThuente.js'

/** Function 5.1 of the paper, and a quartic. */
const functions: Record<string, (a: number) => LinePoint> = {
  'concave, then convex': (a) => ({ value: -a / (a * a + 2), slope: (a * a - 2) / (a * a + 2) ** 2 }),
  quartic: (a) => ({ value: (a - 3) ** 4, slope: 4 * (a - 3) ** 3 }),
}

describe.each(Object.entries(functions))('the search on a function %s', (_, f) => {
  test.each([1e-3, 0.1, 10, 1e3])(
    'from a first step of %d finds sufficient decrease and a small slope',
    (first) => {
      const start = f(0)
      let last = Number.NaN
      let count = 0
      const step = moreThuente(
        (a) => {
          last = a
          count++
          return f(a)
        },
        start,
        first,
      )!
      expect(step).toBe(last)
      expect(count).toBeLessThanOrEqual(20)
      expect(f(step).value).toBeLessThanOrEqual(start.value + 1e-3 * step * start.slope)
      expect(Math.abs(f(step).slope)).toBeLessThanOrEqual(0.9 * Math.abs(start.slope))
    },
  )
})

test('finds the like on any convex quadratic, and gives up on a function that never decreases', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
      fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
      (minimum, first) => {
        const f = (a: number) => ({ value: (a - minimum) ** 2, slope: 2 * (a - minimum) })
        const step = moreThuente(f, f(0), first)!
        expect(Math.abs(step - minimum)).toBeLessThanOrEqual(0.9 * minimum * (1 + 1e-12))
      },
    ),
  )
  const rising = (a: number) => ({ value: a, slope: -1 })
  const step = moreThuente(rising, { value: 0, slope: -1 }, 1)
  expect(step === null || step < 1e-3).toBe(true)
})
