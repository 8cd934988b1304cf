import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rngFor } from '../rng.js'
import { logDensity, normalCdf, parzen, sample } from './parzen.js'
import { drawUniform, type Observation, type Parameters, type SearchSpace, suggest } from './tpe.js'

const C = { low: Math.log(1e-5), high: Math.log(1e6) }
const logs = (values: number[]) => values.map((value) => [Math.log(value)])

describe('the Parzen estimator equals that of Optuna 5.0', () => {
  const densities = (points: number[], at: number[]) => {
    const estimator = parzen(logs(points), [C])
    return logs(at).map((point) => logDensity(estimator, point))
  }
  const close = (values: number[]) => values.map((value) => expect.closeTo(value, 11))

  test('with no, one and several points', () => {
    expect(densities([], [1e-5, 1])).toEqual(close([-3.3159499175553773, -3.1919829754066167]))
    expect(densities([10], [1e-5, 1])).toEqual(close([-3.4465928719326517, -3.150564821231697]))
    expect(densities([1e-3, 2, 50, 1e5, 2.5], [1e-5, 1e-2, 1, 3, 1e6])).toEqual(
      close([
        -3.9008664824167893, -3.2615317935860233, -2.8920771903582363, -2.8715599059068317,
        -3.6373319778829694,
      ]),
    )
    expect(parzen(logs([1e-3, 2, 50, 1e5, 2.5]), [C]).deviations.flat()).toEqual(
      close([
        7.600902459542082, 7.600902459542082, 7.600902459542082, 7.600902459542082, 3.6183480032763575,
        25.328436022934504,
      ]),
    )
  })

  test('in two dimensions, with 40 points whose older ones weigh less', () => {
    const n = 40
    const at = (low: number, high: number, i: number) =>
      Math.log(low) + ((Math.log(high) - Math.log(low)) * (i % n)) / (n - 1)
    const points = Array.from({ length: n }, (_, i) => [at(0.1, 100, 7 * i), at(1e-12, 1e-4, 11 * i)])
    const intervals = [
      { low: Math.log(0.1), high: Math.log(100) },
      { low: Math.log(1e-12), high: Math.log(1e-4) },
    ]
    const estimator = parzen(points, intervals)
    expect([0, 1, 14, 15, 39, 40].map((k) => estimator.weights[k])).toEqual(
      close([
        0.0007421150278293136, 0.002809435462496687, 0.029684601113172542, 0.029684601113172542,
        0.029684601113172542, 0.029684601113172542,
      ]),
    )
    expect(logDensity(estimator, [Math.log(0.5), Math.log(1e-10)])).toBeCloseTo(-3.3076807302905644, 11)
    expect(logDensity(estimator, [Math.log(20), Math.log(1e-5)])).toBeCloseTo(-8.326209939195836, 11)
  })
})

describe('the Parzen estimator', () => {
  test('is a density, and draws follow it', () => {
    const estimator = parzen(logs([1e-3, 2, 50, 1e5, 2.5]), [C])
    const steps = 2000
    const width = (C.high - C.low) / steps
    const mass = Array.from(
      { length: steps },
      (_, i) => Math.exp(logDensity(estimator, [C.low + (i + 0.5) * width])) * width,
    )
    expect(mass.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5)
    const rng = rngFor(3)
    const n = 4000
    const below = Array.from({ length: n }, () => sample(estimator, rng)[0]!).filter((x) => x < 0).length / n
    const expected = mass.slice(0, Math.round(-C.low / width)).reduce((a, b) => a + b, 0)
    expect(Math.abs(below - expected)).toBeLessThan(5 * Math.sqrt((expected * (1 - expected)) / n))
  })

  test('knows the normal distribution', () => {
    // 26.2 of Abramowitz and Stegun
    expect(normalCdf(0)).toBe(0.5)
    expect(normalCdf(1)).toBeCloseTo(0.841344746068543, 14)
    expect(normalCdf(-3)).toBeCloseTo(0.00134989803163, 13)
    expect(normalCdf(8)).toBeCloseTo(1, 14)
  })
})

/** The best value of a search of 30 trials. */
function search(
  space: SearchSpace,
  f: (p: Parameters) => number,
  seed: number,
  next: typeof suggest,
): number {
  const trials: Observation[] = []
  for (let i = 0; i < 30; i++) {
    const parameters = next(space, trials, rngFor(seed, i))
    trials.push({ parameters, value: f(parameters) })
  }
  return Math.max(...trials.map(({ value }) => value!))
}

describe('the search', () => {
  const seeds = Array.from({ length: 40 }, (_, seed) => seed)
  const compare = (space: SearchSpace, f: (p: Parameters) => number, joint: boolean) => {
    const ours = seeds.map((seed) => search(space, f, seed, (s, o, r) => suggest(s, o, r, { joint })))
    const random = seeds.map((seed) => search(space, f, seed, (s, _, r) => drawUniform(s, r)))
    return {
      wins: seeds.filter((seed) => ours[seed]! > random[seed]!).length,
      mean: [ours, random].map((values) => values.reduce((a, b) => a + b, 0) / seeds.length),
    }
  }

  test.each([
    ['a parabola', (p: Parameters) => -((Math.log10(p.C!) - 2.5) ** 2)],
    ['a narrow peak', (p: Parameters) => -Math.abs(Math.log10(p.C!) + 3)],
  ])('beats uniform draws on %s', (_, f) => {
    const { wins, mean } = compare({ C: [1e-5, 1e6] }, f, true)
    expect(wins).toBeGreaterThan(24) // 20 +- 3 by chance
    expect(mean[0]! / mean[1]!).toBeLessThan(0.5) // both are negative
  })

  test.each([true, false])('beats uniform draws in two dimensions, jointly: %s', (joint) => {
    const ridge = (p: Parameters) =>
      -((Math.log10(p.lr!) + Math.log10(p.wd!) + 8) ** 2) - 0.3 * (Math.log10(p.lr!) - 1) ** 2
    const { mean } = compare({ lr: [0.1, 100], wd: [1e-12, 1e-4] }, ridge, joint)
    expect(mean[0]! / mean[1]!).toBeLessThan(0.8)
  })

  test('turns away from where trials fail', () => {
    const failing = Array.from({ length: 20 }, (_, i): Observation => {
      const parameters = { lr: 10 ** (-1 + (3 * i) / 19) }
      return { parameters, value: parameters.lr > 3 ? null : 50 }
    })
    const draws = Array.from({ length: 50 }, (_, i) => suggest({ lr: [0.1, 100] }, failing, rngFor(1, i)).lr!)
    expect(draws.filter((lr) => lr > 10).length).toBeLessThan(5)
  })

  test('stays within its ranges, and refuses impossible ones', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.double({ noNaN: true })), { maxLength: 40 }), (values) => {
        const space: SearchSpace = { C: [1e-5, 1e6], one: [2, 2] }
        const trials = values.map((value, i) => ({ parameters: drawUniform(space, rngFor(7, i)), value }))
        const next = suggest(space, trials, rngFor(8))
        expect(next.C).toBeGreaterThanOrEqual(1e-5)
        expect(next.C).toBeLessThanOrEqual(1e6)
        expect(next.one).toBe(2)
      }),
    )
    expect(() => suggest({ C: [1, 0.1] }, [], rngFor(1))).toThrow('cannot search C between 1 and 0.1')
  })
})
