import { describe, test } from 'vitest'
import { parameter, setGrad, slope } from '../../test/support/parameters.js'
import { expectClose, values } from '../../test/support/values.js'
import { AdamW } from './adamw.js'

const start = [1, -2, 3]

/** Loshchilov & Hutter 2019, algorithm 2, with the learning rate on the decay, in plain float64. */
function reference(
  steps: number,
  lr: number,
  [b1, b2]: readonly [number, number],
  eps: number,
  decay: number,
): number[] {
  let p = start
  let [m, v] = [p.map(() => 0), p.map(() => 0)]
  for (let t = 1; t <= steps; t++) {
    const g = slope(p)
    m = m.map((old, i) => b1 * old + (1 - b1) * g[i]!)
    v = v.map((old, i) => b2 * old + (1 - b2) * g[i]! ** 2)
    p = p.map((value, i) => {
      const step = m[i]! / (1 - b1 ** t) / (Math.sqrt(v[i]! / (1 - b2 ** t)) + eps)
      return value * (1 - lr * decay) - lr * step
    })
  }
  return p
}

describe('AdamW', () => {
  test.each([
    { lr: 0.1, betas: [0.9, 0.999] as const, eps: 1e-8, weightDecay: 0.05 },
    { lr: 0.01, betas: [0.5, 0.9] as const, eps: 1e-3, weightDecay: 0 },
  ])('five steps: %o', (options) => {
    const p = parameter(start)
    const optimizer = new AdamW([p], options)
    for (let step = 0; step < 5; step++) {
      setGrad(p, slope(values(p)))
      optimizer.step()
    }
    expectClose(p, reference(5, options.lr, options.betas, options.eps, options.weightDecay), 1e-13)
    // torch.optim.AdamW, float64
    if (options.weightDecay)
      expectClose(p, [0.4780644037810446, -1.5011265703536014, 3.4207813980812727], 1e-12)
  })

  test('each parameter counts its own steps', () => {
    const [early, late] = [parameter([0]), parameter([0])]
    const optimizer = new AdamW([early, late], { lr: 0.1, weightDecay: 0 })
    setGrad(early, [3])
    optimizer.step()
    setGrad(late, [-5])
    optimizer.step()
    // The first step of Adam is lr in the direction of the gradient, whatever its size.
    expectClose(late, [0.1], 1e-8)
    expectClose(early, [-0.2], 1e-8)
  })

  test('groups have their own settings', () => {
    const [a, b] = [parameter([1]), parameter([1])]
    const optimizer = new AdamW([{ params: [a], lr: 0.5, weightDecay: 0 }, { params: [b] }], {
      lr: 0.1,
      weightDecay: 0.2,
    })
    setGrad(a, [1])
    setGrad(b, [1])
    optimizer.step()
    expectClose(a, [0.5], 1e-7)
    expectClose(b, [1 * (1 - 0.02) - 0.1], 1e-7)
  })
})
