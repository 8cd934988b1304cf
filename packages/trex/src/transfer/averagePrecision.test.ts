import { describe, expect, test } from 'vitest'
import { averagePrecision, meanAveragePrecision } from './averagePrecision.js'
import { seedMean } from './confidence.js'

const positive = [0, 1, 1, 0, 1, 0, 0, 1, 0, 1]
const scores = [0.1, 0.4, 0.35, 0.8, 0.8, 0.2, 0.35, 0.9, 0.05, 0.3]

describe('average precision', () => {
  test('over all points equals that of scikit-learn, ties included', () => {
    expect(averagePrecision(scores, positive)).toBeCloseTo(0.7595238095238095, 14)
  })

  test('of VOC 2007 is the mean of eleven precisions, each the best at its recall or more', () => {
    // Recalls 0.2 (1/1), 0.4 (2/3), 0.6 (3/4), 0.8 (4/6), 1 (5/7): levels 0-0.2 have 1, 0.3-0.6 3/4, 0.7-1 5/7.
    expect(averagePrecision(scores, positive, 'voc2007')).toBeCloseTo((3 + 4 * 0.75 + (4 * 5) / 7) / 11, 14)
  })

  test('is averaged over the classes that have positives', () => {
    const two = Float32Array.from(scores.flatMap((score) => [score, score]))
    const targets = Uint8Array.from(positive.flatMap((p) => [p, 0]))
    expect(meanAveragePrecision(two, targets, 2)).toBeCloseTo(75.95238, 4)
    expect(() =>
      meanAveragePrecision(
        two,
        targets.map(() => 0),
        2,
      ),
    ).toThrow('no class has a positive')
    expect(() => meanAveragePrecision(two, targets.subarray(1), 2)).toThrow('20 predictions against 19')
  })
})

describe('the mean over seeds', () => {
  test('has the deviation of a sample and the interval of Student', () => {
    const { mean, deviation, confidence95 } = seedMean([1, 2, 3, 4, 5])
    expect([mean, deviation]).toEqual([3, Math.sqrt(2.5)])
    expect(confidence95).toBeCloseTo((2.7764 * Math.sqrt(2.5)) / Math.sqrt(5), 12)
    const many = seedMean(Array.from({ length: 51 }, (_, i) => i))
    expect((many.confidence95! * Math.sqrt(51)) / many.deviation!).toBeCloseTo(2.008559112100761, 4) // SciPy
  })

  test('of one seed has neither', () => {
    expect(seedMean([7])).toEqual({ mean: 7, deviation: null, confidence95: null })
  })

  test('pairs that are ignored count neither way', () => {
    // Two classes; image 1 is the worst mistake of class 0, and image 2 is there in class 1 but not to be counted.
    const scores = Float32Array.from([0.9, 0.1, 0.8, 0.2, 0.7, 0.9, 0.1, 0.8])
    const targets = Uint8Array.from([1, 0, 0, 0, 1, 1, 0, 1])
    const ignored = Uint8Array.from([0, 0, 1, 0, 0, 1, 0, 0])
    expect(meanAveragePrecision(scores, targets, 2, 'all-point', ignored)).toBe(100)
    expect(meanAveragePrecision(scores, targets, 2)).toBeCloseTo((100 * ((1 + 2 / 3) / 2 + 1)) / 2, 10)
  })
})
