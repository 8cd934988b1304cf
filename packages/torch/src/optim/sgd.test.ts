import { describe, expect, test } from 'vitest'
import { parameter, setGrad, slope } from '../../test/support/parameters.js'
import { expectClose, values } from '../../test/support/values.js'
import { liveTensors } from '../tidy.js'
import { SGD } from './sgd.js'

const start = [1, -2, 3]

/** g <- grad + wd p; b <- g or momentum b + g; p <- p - lr b, in plain float64. */
function reference(
  steps: number,
  lr: (step: number) => number,
  momentum: number,
  weightDecay: number,
): number[] {
  let p = start
  let buffer: number[] | undefined
  for (let step = 0; step < steps; step++) {
    const grad = slope(p).map((g, i) => g + weightDecay * p[i]!)
    buffer = buffer ? buffer.map((b, i) => momentum * b + grad[i]!) : grad
    p = p.map((v, i) => v - lr(step) * buffer![i]!)
  }
  return p
}

describe('SGD', () => {
  test.each([
    [0, 0],
    [0.9, 0],
    [0, 0.1],
    [0.9, 0.01],
  ])('momentum %d, weight decay %d: five steps', (momentum, weightDecay) => {
    const p = parameter(start)
    const optimizer = new SGD([p], { lr: 0.1, momentum, weightDecay })
    for (let step = 0; step < 5; step++) {
      setGrad(p, slope(values(p)))
      optimizer.step()
    }
    expectClose(
      p,
      reference(5, () => 0.1, momentum, weightDecay),
      1e-14,
    )
    // torch.optim.SGD, float64
    if (momentum && weightDecay)
      expectClose(p, [0.14491281227898933, -1.3142215816465876, 5.72323608756459], 1e-13)
  })

  test('a changed learning rate holds from the next step on', () => {
    const p = parameter(start)
    const optimizer = new SGD([p], { lr: 9, momentum: 0.9 })
    for (let step = 0; step < 5; step++) {
      optimizer.lr = 0.1 / (step + 1)
      setGrad(p, slope(values(p)))
      optimizer.step()
    }
    expectClose(
      p,
      reference(5, (step) => 0.1 / (step + 1), 0.9, 0),
      1e-14,
    )
  })

  test('groups have their own settings; a parameter without a gradient rests', () => {
    const [a, b, resting] = [parameter([1]), parameter([1]), parameter([7])]
    const groups = [{ params: [a], lr: 0.5, weightDecay: 1 }, { params: [b, resting] }]
    const optimizer = new SGD(groups, { lr: 0.1, momentum: 0.9, weightDecay: 0 })
    setGrad(a, [2])
    setGrad(b, [2])
    optimizer.step()
    expectClose(a, [1 - 0.5 * (2 + 1)], 1e-15)
    expectClose(b, [1 - 0.1 * 2], 1e-15)
    expect(values(resting)).toEqual([7])
    expect(() => new SGD([{ params: [a] }, { params: [b, a] }], { lr: 1 })).toThrow(/two groups/)
  })

  test('a late parameter starts its momentum at its own first gradient', () => {
    const [early, late] = [parameter([0]), parameter([0])]
    const optimizer = new SGD([early, late], { lr: 1, momentum: 0.5 })
    setGrad(early, [1])
    optimizer.step()
    setGrad(late, [1])
    optimizer.step()
    expect([...values(early), ...values(late)]).toEqual([-2.5, -1])
  })

  test('does not change the gradients, and holds no tensors besides its state', () => {
    const p = parameter(start)
    const optimizer = new SGD([p], { lr: 0.1, momentum: 0.9, weightDecay: 0.1 })
    const before = liveTensors()
    const live = [1, 2, 3].map(() => {
      setGrad(p, [1, 2, 3])
      optimizer.step()
      using gradient = p.grad!
      expect(values(gradient)).toEqual([1, 2, 3])
      optimizer.zeroGrad()
      return liveTensors() - before
    })
    expect(p.grad).toBeNull()
    // setGrad's own tensor waits for the collector; one momentum buffer stays
    expect(live[2]! - live[1]!).toBe(1)
    expect(optimizer.stateDict().size).toBe(1)
  })
})
