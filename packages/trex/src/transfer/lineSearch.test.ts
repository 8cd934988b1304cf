import { describe, expect, test } from 'vitest'
import { type LinePoint, strongWolfe } from './lineSearch.js'

const functions: Record<string, (x: number) => LinePoint> = {
  // Minimum at 100: the first step is far too short.
  'a far minimum': (x) => ({ value: (x - 100) ** 2, slope: 2 * (x - 100) }),
  // Minimum at 1e-3: far too long.
  'a near minimum': (x) => ({ value: (x - 1e-3) ** 2, slope: 2 * (x - 1e-3) }),
  // More and Thuente (1994), function 1 with beta = 2: minimum at sqrt(2), concave further on.
  'a concave tail': (x) => ({ value: -x / (x * x + 2), slope: (x * x - 2) / (x * x + 2) ** 2 }),
  'a wall of infinity': (x) => ({
    value: x < 0.5 ? -Math.log(0.5 - x) - 4 * x : Number.POSITIVE_INFINITY,
    slope: 1 / (0.5 - x) - 4,
  }),
}

describe('strongWolfe', () => {
  test.each(Object.keys(functions))('finds a step that fulfils both conditions: %s', (name) => {
    const evaluated: number[] = []
    const f = functions[name]!
    const evaluate = (step: number) => {
      evaluated.push(step)
      return f(step)
    }
    const step = strongWolfe(evaluate, f(0), 1, { curvature: 0.1 })!
    expect(step).toBe(evaluated.at(-1))
    expect(f(step).value).toBeLessThanOrEqual(f(0).value + 1e-4 * step * f(0).slope)
    expect(Math.abs(f(step).slope)).toBeLessThanOrEqual(-0.1 * f(0).slope)
  })

  test('gives up on a function that only rises, though its slope says otherwise', () => {
    expect(strongWolfe((x) => ({ value: x, slope: -1 }), { value: 0, slope: -1 }, 1)).toBeNull()
  })
})
