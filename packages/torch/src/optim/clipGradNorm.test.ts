import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parameter, setGrad } from '../../test/support/parameters.js'
import { expectClose, values } from '../../test/support/values.js'
import { tensor, zeros } from '../create.js'
import { Parameter } from '../tensor/tensor.js'
import { liveTensors, tidy } from '../tidy.js'
import { clipGradNorm_ } from './clipGradNorm.js'

const withGrads = (...grads: number[][]): Parameter[] =>
  grads.map((gradient) => {
    const p = parameter(gradient.map(() => 0))
    setGrad(p, gradient)
    return p
  })
const gradsOf = (params: Parameter[]): number[][] => params.map((p) => values(p.grad!))

describe('clipGradNorm_', () => {
  // torch.nn.utils.clip_grad_norm_, PyTorch 2.13, float64
  const scaled = [0.22992048195066017, -0.30656064260088023, 0.07664016065022006]
  test.each([
    [1, [...scaled, 0.9196819278026407, 0.03832008032511003]],
    [13.5, [3, -4, 1, 12, 0.5]],
    [20, [3, -4, 1, 12, 0.5]],
    [0, [0, -0, 0, 0, 0]],
  ])('to %d gives what PyTorch does', (maxNorm, expected) => {
    const params = withGrads([3, -4, 1], [12, 0.5])
    const norm = clipGradNorm_(params, maxNorm)
    expect(norm.shape).toEqual([])
    expectClose(norm, [13.047988350699889], 1e-15)
    expectClose(gradsOf(params).flat(), expected, 1e-15)
  })

  test('the norm is over all parameters, which keep their directions', () => {
    const gradient = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(
        fc.array(gradient, { minLength: 1, maxLength: 4 }),
        fc.double({ min: 0.01, max: 200, noNaN: true }),
        (grads, maxNorm) => {
          const params = withGrads(...grads)
          const norm = Math.hypot(...grads.flat())
          expectClose(clipGradNorm_(params, maxNorm), [norm], 1e-12)
          const factor = Math.min(1, maxNorm / (norm + 1e-6))
          expectClose(
            gradsOf(params).flat(),
            grads.flat().map((g) => g * factor),
            1e-12,
          )
        },
      ),
      { numRuns: 50 },
    )
  })

  test('what is not finite shows in the norm', () => {
    const params = withGrads([Infinity, 1], [2])
    expect(clipGradNorm_(params, 1).item()).toBe(Infinity)
    expect(gradsOf(params)).toEqual([[Number.NaN, 0], [0]])
    expect(clipGradNorm_(withGrads([Number.NaN], [2]), 1).item()).toBeNaN()
  })

  test('parameters without a gradient are left out; without any the norm is 0', () => {
    const [some] = withGrads([3, 4])
    expect(clipGradNorm_([parameter([1]), some!], 1).item()).toBe(5)
    expect(clipGradNorm_([parameter([1])], 1).item()).toBe(0)
    expect(clipGradNorm_([], 1).item()).toBe(0)
  })

  test('gradients of several dtypes are clipped together', () => {
    const single = new Parameter(zeros([1]))
    single.grad = tensor([3])
    const params = [single, ...withGrads([4])]
    expect(clipGradNorm_(params, 1).item()).toBe(5)
    expectClose(gradsOf(params).flat(), [0.6, 0.8], 1e-6)
  })

  test('leaves the norm alone behind', () => {
    const params = withGrads([3, 4], [1])
    const before = liveTensors()
    tidy(() => clipGradNorm_(params, 1)).dispose()
    expect(liveTensors()).toBe(before)
  })

  test.each([-1, Number.NaN, Infinity])('a maxNorm of %d is refused', (maxNorm) => {
    const params = withGrads([1])
    expect(() => clipGradNorm_(params, maxNorm)).toThrow(/maxNorm must be finite and at least 0/)
    expect(gradsOf(params)).toEqual([[1]])
  })
})
