import { describe, expect, test } from 'vitest'
import { expectClose, values } from '../test/support/values.js'
import { empty, zeros } from './create.js'
import { Generator } from './generator.js'
import * as init from './init.js'
import { liveTensors } from './tidy.js'

const mean = (v: number[]) => v.reduce((a, b) => a + b) / v.length
const std = (v: number[]) => {
  const centre = mean(v)
  return Math.sqrt(mean(v.map((x) => (x - centre) ** 2)))
}
const n = 40_000 // standard error of a mean 0.005 sigma, of a standard deviation 0.0035 sigma

describe('init', () => {
  test('fans of linear and convolution weights', () => {
    expect(init.fans(zeros([5, 3]))).toEqual({ fanIn: 3, fanOut: 5 })
    expect(init.fans(zeros([8, 4, 3, 3]))).toEqual({ fanIn: 36, fanOut: 72 })
    expect(() => init.fans(zeros([3]))).toThrow(RangeError)
  })

  test('normal and uniform have their moments', () => {
    const normal = values(init.normal_(empty([n]), 2, 0.5, new Generator(1)))
    expect(Math.abs(mean(normal) - 2)).toBeLessThan(0.0125)
    expect(Math.abs(std(normal) - 0.5)).toBeLessThan(0.01)
    const uniform = values(init.uniform_(empty([n]), -1, 3, new Generator(2)))
    expect(Math.min(...uniform.slice(0, 1000))).toBeGreaterThanOrEqual(-1)
    expect(Math.abs(mean(uniform) - 1)).toBeLessThan(0.03)
    expect(Math.abs(std(uniform) - 4 / Math.sqrt(12))).toBeLessThan(0.02)
  })

  test('kaiming: sqrt(2 / fan)', () => {
    const fanIn = values(init.kaimingNormal_(empty([200, 200]), 'fanIn', new Generator(3)))
    expect(Math.abs(std(fanIn) / Math.sqrt(2 / 200) - 1)).toBeLessThan(0.02)
    const fanOut = values(init.kaimingNormal_(empty([16, 100, 5, 5]), 'fanOut', new Generator(4)))
    expect(Math.abs(std(fanOut) / Math.sqrt(2 / 400) - 1)).toBeLessThan(0.02)
  })

  test('the default stays within 1 / sqrt(fanIn)', () => {
    const weights = values(init.defaultUniform_(empty([100, 25]), 25, new Generator(5)))
    expect(weights.every((w) => Math.abs(w) <= 0.2)).toBe(true)
    expect(Math.max(...weights)).toBeGreaterThan(0.19)
    expect(values(init.defaultUniform_(empty([2]), 0)).every((w) => w === 0)).toBe(true)
  })

  test('truncNormal stays within its bounds, with the moments of the cut distribution', () => {
    const x = values(init.truncNormal_(empty([n]), 0, 1, -1, 1, new Generator(6)))
    expect(x.every((v) => v >= -1 && v <= 1)).toBe(true)
    expect(Math.abs(mean(x))).toBeLessThan(0.015)
    // variance of N(0, 1) cut to [-1, 1]: 1 - 2 phi(1) / (2 Phi(1) - 1)
    const variance = 1 - (2 * 0.24197072451914337) / 0.6826894921370859
    expect(Math.abs(std(x) - Math.sqrt(variance))).toBeLessThan(0.01)
    const oneSided = values(init.truncNormal_(empty([1000]), 0, 1, 1, 4, new Generator(7)))
    expect(oneSided.every((v) => v >= 1 && v <= 4)).toBe(true)
  })

  test('truncNormal draws what it always has, and leaves nothing behind', () => {
    const before = liveTensors()
    const x = init.truncNormal_(empty([6]), 0, 1, -0.5, 0.5, new Generator(9))
    expect(liveTensors() - before).toBe(1)
    const drawn = [
      0.04472753778100014, 0.2970382571220398, -0.2310308963060379, 0.3459281623363495, 0.4353003203868866,
      0.36963701248168945,
    ]
    expectClose(x, drawn, 0)
  })

  test.each([
    ['bounds that are no interval', [0, 1, 2, 2]],
    ['bounds the wrong way round', [0, 1, 2, -2]],
    ['a bound of NaN', [0, 1, Number.NaN, 2]],
    ['std 0', [0, 0]],
    ['a negative std', [0, -1]],
    ['a mean far above', [10, 1]],
    ['a mean far below', [-10, 1]],
    ['a mean of NaN', [Number.NaN, 1]],
    ['a tail', [0, 1, 5, Infinity]],
    ['an interval too narrow to be hit', [0, 1, 0, 1e-9]],
  ] as [string, number[]][])('truncNormal refuses %s', (_what, settings) => {
    const x = zeros([3])
    expect(() => init.truncNormal_(x, ...settings)).toThrow(RangeError)
    expect(values(x)).toEqual([0, 0, 0])
  })

  test('equal generators give equal weights, and no graph is recorded', () => {
    const draw = () => values(init.truncNormal_(empty([50]), 0, 1, -1, 1, new Generator(9)))
    expect(draw()).toEqual(draw())
    const leaf = zeros([3], { requiresGrad: true })
    init.constant_(leaf, 2)
    expect(values(leaf)).toEqual([2, 2, 2])
    expect(leaf.isLeaf).toBe(true)
  })
})
