import { describe, expect, test } from 'vitest'
import { openGolden } from '../../test/support/golden.js'
import { accuracy, logOdds, meanLogOdds } from './scores.js'

const golden = openGolden('g_linear')
const ints = (key: string) => Int32Array.from(golden.i64(key), Number)

describe('logOdds', () => {
  test('equals the golden values, infinite at the ends', () => {
    const values = golden.f64('log_odds.value')
    for (const [i, percent] of golden.f64('log_odds.acc').entries()) {
      if (Number.isFinite(values[i])) expect(logOdds(percent)).toBeCloseTo(values[i]!, 12)
      else expect(logOdds(percent)).toBe(values[i])
    }
  })

  test('is clamped half an image from either end when the number of images is known', () => {
    expect(logOdds(100, { n: 50 })).toBeCloseTo(Math.log(99), 12)
    expect(logOdds(0, { n: 50 })).toBeCloseTo(-Math.log(99), 12)
    expect(logOdds(98, { n: 50 })).toBe(logOdds(98))
  })

  test('refuses what is no percentage', () => {
    for (const percent of [-1, 100.1, Number.NaN]) expect(() => logOdds(percent)).toThrow('no log odds')
  })
})

test('meanLogOdds averages over data sets', () => {
  expect(meanLogOdds([50, 90])).toBeCloseTo(Math.log(9) / 2, 12)
  expect(meanLogOdds([100, 90], { n: [5, 5] })).toBeCloseTo(Math.log(9), 12)
  expect(() => meanLogOdds([])).toThrow('no accuracy')
  expect(() => meanLogOdds([50], { n: [1, 2] })).toThrow('1 accuracies with 2')
})

describe('accuracy', () => {
  test('gives the golden top-1 and mean per-class accuracy', () => {
    const { value, top1, top1_2 } = golden.json<{ value: number; top1: number; top1_2: number }>('m_ap')
    const scores = accuracy(ints('m_ap.pred'), ints('m_ap.y'))
    expect(scores.top1).toBeCloseTo(top1, 12)
    expect(scores.meanPerClass).toBeCloseTo(value, 12)
    const absent = accuracy(ints('m_ap.pred_absent_class'), ints('m_ap.y')) // NaN in the original
    expect(absent.top1).toBeCloseTo(top1_2, 12)
    expect(absent.meanPerClass).toBeGreaterThan(0)
  })

  test('refuses arrays that do not match', () => {
    expect(() => accuracy(new Int32Array(2), new Int32Array(3))).toThrow('2 predictions against 3 labels')
    expect(() => accuracy(new Int32Array(0), new Int32Array(0))).toThrow('cannot score')
  })
})
