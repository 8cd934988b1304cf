import { describe, expect, test } from 'vitest'
import { constant, cosine, linear, stepDecay, warmup } from './schedules.js'

describe('schedules', () => {
  test('constant, linear, cosine', () => {
    expect([0, 5, 1e9].map(constant(0.3))).toEqual([0.3, 0.3, 0.3])
    expect([0, 1, 2, 4, 9].map(linear(1, 4))).toEqual([1, 0.75, 0.5, 0, 0])
    expect(linear(1, 4, 3)(1)).toBe(1.5)
    const half = cosine(2, 10)
    expect([half(0), half(10), half(25)]).toEqual([2, 0, 0])
    expect(half(5)).toBeCloseTo(1, 15)
    expect(half(2)).toBeCloseTo(1 + Math.cos(Math.PI / 5), 15)
    expect(cosine(2, 10, 0.5)(10)).toBe(0.5)
  })

  test('of no steps are over at once', () => {
    expect([0, 1].map(cosine(0.1, 0))).toEqual([0, 0])
    expect([0, 1].map(linear(0.1, 0))).toEqual([0, 0])
  })

  test('stepDecay multiplies at each milestone', () => {
    const decay = stepDecay(1, [2, 4], 0.5)
    expect([0, 1, 2, 3, 4, 5].map(decay)).toEqual([1, 1, 0.5, 0.5, 0.25, 0.25])
  })

  test('warmup rises from 0 to the first value of what follows', () => {
    const schedule = warmup(4, cosine(1, 8))
    expect([0, 1, 2, 3, 4, 12].map(schedule)).toEqual([0, 0.25, 0.5, 0.75, 1, 0])
    expect(warmup(0, constant(2))(0)).toBe(2)
  })
})
