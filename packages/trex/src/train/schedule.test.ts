import { describe, expect, test } from 'vitest'
import { openGolden } from '../../test/support/golden.js'
import { TrexError } from '../errors.js'
import { learningRates, weightDecays } from './schedule.js'

interface GoldenArguments {
  base_value: number
  final_value: number
  epochs: number
  niter_per_ep: number
  warmup_epochs: number
  start_warmup_value?: number
}

describe('learning rates', () => {
  const golden = openGolden('f_schedule_groups')

  test.each(['cos0', 'cos1', 'cos2', 'cos3', 'cos4'])('%s equals the reference', (key) => {
    const given = golden.json<GoldenArguments>(key)
    const rates = learningRates({
      peak: given.base_value,
      final: given.final_value,
      epochs: given.epochs,
      iterationsPerEpoch: given.niter_per_ep,
      warmupEpochs: given.warmup_epochs,
      ...(given.start_warmup_value === undefined ? {} : { start: given.start_warmup_value }),
    })
    const expected = golden.f64(key)
    expect(rates.length).toBe(expected.length)
    const cosineRounding = 2 ** -52 * given.base_value // two roundings of 1 + cos, where it nears 0
    for (const [i, rate] of rates.entries()) {
      expect(Math.abs(rate - expected[i]!)).toBeLessThanOrEqual(1e-12 * expected[i]! + cosineRounding)
    }
  })

  const base = { peak: 0.1, final: 1e-6, epochs: 20, iterationsPerEpoch: 3, warmupEpochs: 10 }

  test('starts at zero, has the peak twice, never reaches the final rate', () => {
    const rates = learningRates(base)
    expect(rates[0]).toBe(0)
    expect([rates[29], rates[30]]).toEqual([0.1, 0.1])
    expect(Math.min(...rates.subarray(1))).toBeGreaterThan(1e-6)
  })

  test('a warm-up of one step is that step at the start rate', () => {
    const rates = learningRates({ ...base, epochs: 2, iterationsPerEpoch: 1, warmupEpochs: 1 })
    expect([...rates]).toEqual([0, 0.1])
  })

  test('a warm-up as long as the run is legal, a longer one is an error', () => {
    expect(learningRates({ ...base, epochs: 10 }).at(-1)).toBe(0.1)
    expect(() => learningRates({ ...base, epochs: 9 })).toThrow(TrexError)
    expect(() => learningRates({ ...base, epochs: 9 })).toThrow('longer than the run of 9')
  })

  test.each([{ epochs: 0 }, { epochs: 1.5 }, { iterationsPerEpoch: 0 }, { warmupEpochs: -1 }])(
    'rejects %j',
    (change) => {
      expect(() => learningRates({ ...base, ...change })).toThrow(TrexError)
    },
  )
})

describe('weight decays', () => {
  test('are the same throughout, or follow half a cosine that does not reach its end', () => {
    expect(weightDecays({ start: 0.1, end: null, steps: 3 })).toEqual(Float64Array.of(0.1, 0.1, 0.1))
    const decays = weightDecays({ start: 0.04, end: 0.4, steps: 6 })
    const root = Math.sqrt(3) / 2 // cos(pi i / 6) is 1, root, 1/2, 0, -1/2, -root
    const expected = [1, root, 0.5, 0, -0.5, -root].map((cosine) => 0.4 - 0.18 * (1 + cosine))
    for (const [i, value] of expected.entries()) expect(decays[i]).toBeCloseTo(value, 14)
  })

  test('of a cosine to where it starts is constant', () => {
    expect(new Set(weightDecays({ start: 0.3, end: 0.3, steps: 9 }))).toEqual(new Set([0.3]))
  })
})
