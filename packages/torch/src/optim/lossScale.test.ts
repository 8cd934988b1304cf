import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { values } from '../../test/support/values.js'
import { full, tensor, zeros } from '../create.js'
import { tidy } from '../tidy.js'
import { unscaleGradients, unscalePlainly, updatePlainly, updateScale } from './lossScale.js'

// libtorch's kernels where they are, and the plain operators that stand in for them elsewhere: one behaviour.

const specials = fc.constantFrom(Infinity, -Infinity, Number.NaN, 0, -0)
const finite = fc.float({ noNaN: true, noDefaultInfinity: true })
const gradient = fc.array(fc.oneof({ weight: 20, arbitrary: finite }, specials), {
  minLength: 1,
  maxLength: 6,
})

const unscalings: [string, typeof unscaleGradients][] = [
  ['kernels', unscaleGradients],
  ['plain operators', (grads, scale, foundInf) => unscalePlainly(grads, scale.pow(-1), foundInf)],
]

describe.each(unscalings)('unscaling by %s', (_name, unscale) => {
  test('divides, and finds what is not finite', () => {
    fc.assert(
      fc.property(
        fc.array(gradient, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: -3, max: 20 }),
        (grads, power) =>
          tidy(() => {
            const tensors = grads.map((g) => tensor(g))
            const foundInf = zeros([])
            unscale(tensors, full([], 2 ** power), foundInf)
            const bad = grads.flat().some((g) => !Number.isFinite(g))
            expect(foundInf.item()).toBe(Number(bad))
            if (!bad)
              expect(tensors.map(values)).toEqual(grads.map((g) => g.map((x) => Math.fround(x / 2 ** power))))
          }),
      ),
      { numRuns: 100 },
    )
  })

  test('does not forget what was found before', () => {
    const foundInf = full([], 1)
    unscale([tensor([1])], full([], 2), foundInf)
    expect(foundInf.item()).toBe(1)
  })

  test('takes gradients of several dtypes', () => {
    const [a, b] = [tensor([2]), tensor([4], { dtype: 'float64' })]
    const foundInf = zeros([])
    unscale([a, b], full([], 2), foundInf)
    expect([values(a), values(b), foundInf.item()]).toEqual([[1], [2], 0])
  })
})

describe.each([
  ['kernels', updateScale],
  ['plain operators', updatePlainly],
] as const)('the scale moved by %s', (_name, update) => {
  const move = (scale: number, tracker: number, found: number, growthFactor = 2, growthInterval = 3) => {
    const state = { scale: full([], scale), growthTracker: full([], tracker, { dtype: 'int32' }) }
    update(state, full([], found), { growthFactor, backoffFactor: 0.3, growthInterval })
    return [state.scale.item(), state.growthTracker.item()]
  }

  test('goes up after enough good updates and down after a bad one', () => {
    expect(move(8, 0, 0)).toEqual([8, 1])
    expect(move(8, 1, 0)).toEqual([8, 2])
    expect(move(8, 2, 0)).toEqual([16, 0])
    expect(move(8, 2, 0, 1.1)).toEqual([Math.fround(8 * 1.1), 0])
    for (const found of [1, 2]) expect(move(8, 2, found)).toEqual([Math.fround(8 * 0.3), 0])
  })

  test('does not grow out of float32', () => {
    expect(move(2 ** 127, 2, 0)).toEqual([2 ** 127, 0])
  })
})
