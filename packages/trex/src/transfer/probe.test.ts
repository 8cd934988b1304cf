import { liveTensors, setNumThreads } from 'trex-torch'
import { beforeAll, describe, expect, test } from 'vitest'
import { openGolden } from '../../test/support/golden.js'
import { probe } from './probe.js'

beforeAll(() => setNumThreads(1)) // tiny matrices

const golden = openGolden('g_linear')
const set = (x: string, y: string) => ({
  features: golden.f32(x),
  dim: 64,
  labels: Int32Array.from(golden.i64(y), Number),
})

describe('probe', () => {
  test('tunes C on the grid and scores as the golden minimiser does at that C', () => {
    const before = liveTensors()
    const result = probe(set('X', 'Y'), set('XT', 'YT'), { seed: 22 })
    expect(liveTensors()).toBe(before)
    expect(result.trials.map(({ C }) => Math.log10(C))).toEqual(
      Array.from({ length: 12 }, (_, i) => expect.closeTo(i - 5, 9)),
    )
    const best = Math.max(...result.trials.map(({ top1 }) => top1))
    expect(result.C).toBe(result.trials.find(({ top1 }) => top1 === best)!.C)
    expect([0.1, 1]).toContainEqual(expect.closeTo(result.C, 9))
    const { acc_test_tight } = golden
      .json<{ norm: string; C: number; acc_test_tight: number }[]>('lbfgs')
      .find(({ norm, C }) => norm === 'none' && Math.abs(C / result.C - 1) < 1e-9)!
    expect(Math.abs(result.top1 - acc_test_tight)).toBeLessThanOrEqual(1)
    expect(result.meanPerClass).toBeGreaterThan(60)
    expect(probe(set('X', 'Y'), set('XT', 'YT'), { seed: 22 })).toEqual(result)
  })

  test('takes the settings it is given', () => {
    const options = { seed: 1, trials: 3, cRange: [0.01, 1], normalization: 'l2', dtype: 'float64' } as const
    const { trials } = probe(set('X', 'Y'), set('XT', 'YT'), options)
    expect(trials.map(({ C }) => C)).toEqual([0.01, 0.1, 1].map((C) => expect.closeTo(C, 12)))
    expect(trials.every(({ converged }) => converged)).toBe(true)
  })

  test('refuses what cannot be tuned or compared', () => {
    const single = { features: Float32Array.of(1, 2, 3, 4), dim: 2, labels: Int32Array.of(0, 1) }
    expect(() => probe(single, single, { seed: 1 })).toThrow('no class has two training images')
    expect(() => probe(set('X', 'Y'), single, { seed: 1 })).toThrow('trainval has 64 features, test has 2')
    const range = { seed: 1, cRange: [1, 0.1] as const }
    expect(() => probe(set('X', 'Y'), set('XT', 'YT'), range)).toThrow(
      'cannot try 12 values of C in [1, 0.1]',
    )
  })
})
