import { describe, expect, test } from 'vitest'
import { rngFor } from '../rng.js'
import { lbfgs, type Objective } from './lbfgs.js'

const rosenbrock: Objective = ([x, y]) => {
  const [a, b] = [1 - x!, y! - x! * x!]
  return { value: a * a + 100 * b * b, gradient: Float64Array.of(-2 * a - 400 * x! * b, 200 * b) }
}

/** sum of c_i (x_i - i)^2 / 2 with curvatures from 1 to 1e4: minimum at x_i = i, value 0. */
const curvatures = Float64Array.from({ length: 40 }, (_, i) => 10 ** ((4 * i) / 39))
const quadratic: Objective = (x) => ({
  value: x.reduce((sum, value, i) => sum + (curvatures[i]! * (value - i) ** 2) / 2, 0),
  gradient: x.map((value, i) => curvatures[i]! * (value - i)),
})

describe('lbfgs', () => {
  test('finds the minimum of the Rosenbrock function', () => {
    const start = Float64Array.of(-1.2, 1)
    const { x, stop, iterations, value } = lbfgs(rosenbrock, start, { stopping: { gradient: 1e-9 } })
    expect(stop).toBe('gradient')
    expect(iterations).toBeLessThan(60)
    expect(x[0]).toBeCloseTo(1, 8)
    expect(x[1]).toBeCloseTo(1, 8)
    expect(value).toBeLessThan(1e-16)
    expect([...start]).toEqual([-1.2, 1])
  })

  test('solves a badly scaled quadratic', () => {
    const start = Float64Array.from(curvatures, () => rngFor(1).normal())
    const { x, stop } = lbfgs(quadratic, start, { stopping: { gradient: 1e-6 } })
    expect(stop).toBe('gradient')
    for (const [i, value] of x.entries()) expect(Math.abs(value - i)).toBeLessThan(1e-5)
  })

  test('stops by each rule', () => {
    const start = Float64Array.of(-1.2, 1)
    expect(lbfgs(rosenbrock, start, { stopping: {}, maxIterations: 5 })).toMatchObject({
      stop: 'iterations',
      iterations: 5,
    })
    expect(lbfgs(rosenbrock, start, { stopping: { decrease: 1e-3 } }).stop).toBe('decrease')
    const deaf: Objective = (x) => ({ value: 1, gradient: x.map(() => 1) })
    expect(lbfgs(deaf, start, { stopping: { gradient: 0.5 } }).stop).toBe('rounding')
  })

  test('refuses a start where the objective is not finite', () => {
    const nowhere: Objective = (x) => ({ value: Number.NaN, gradient: x })
    expect(() => lbfgs(nowhere, Float64Array.of(1), { stopping: {} })).toThrow('NaN at the start')
  })
})
