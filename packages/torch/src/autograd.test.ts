import { describe, expect, test } from 'vitest'
import { codeOf, expectClose, values } from '../test/support/values.js'
import { autocast, enableGrad, grad, isGradEnabled, noGrad } from './autograd.js'
import { arange, ones, tensor } from './create.js'
import * as F from './functional.js'
import { Linear } from './layers.js'
import { native } from './native.js'
import { liveTensors, tidy } from './tidy.js'

const leaf = (data: number[]) => tensor(data, { dtype: 'float64', requiresGrad: true })

describe('backward', () => {
  test('puts derivatives into the leaves and accumulates them', () => {
    const x = leaf([1, 2, 3])
    x.mul(x).sum().backward()
    expect(values(x.grad!)).toEqual([2, 4, 6])
    x.sum().backward()
    expect(values(x.grad!)).toEqual([3, 5, 7])
    x.grad = null
    expect(x.grad).toBeNull()
  })

  test('takes a gradient for an output of several elements', () => {
    const x = leaf([1, 2])
    expect(() => x.mul(2).backward()).toThrow(/scalar outputs/)
    x.mul(x).backward(tensor([1, 10], { dtype: 'float64' }))
    expect(values(x.grad!)).toEqual([2, 40])
  })

  test('frees the graph unless retained', () => {
    const x = leaf([2])
    const y = x.mul(x).sum()
    y.backward(undefined, { retainGraph: true })
    y.backward()
    expect(values(x.grad!)).toEqual([8])
    expect(codeOf(() => y.backward())).toBe('ERR_TORCH')
    expect(() => y.backward()).toThrow(/second time/)
  })

  test('needs something that requires a gradient', () => {
    expect(() => tensor([1]).sum().backward()).toThrow(/does not require grad/)
    expect(tensor([1]).grad).toBeNull()
    expect(leaf([1]).mul(2).grad).toBeNull()
  })

  test('works after the intermediates of the forward pass are disposed', () => {
    const x = leaf([0.3, -0.7])
    const before = liveTensors()
    const loss = tidy(() => x.sin().mul(x).exp().sum())
    expect(liveTensors()).toBe(before + 1)
    loss.backward()
    const expected = [0.3, -0.7].map((v) => Math.exp(v * Math.sin(v)) * (Math.sin(v) + v * Math.cos(v)))
    expectClose(x.grad!, expected, 1e-14)
  })

  test('survives a graph of 20,000 nodes, and its release', () => {
    const x = leaf([1])
    const chain = () =>
      tidy(() => {
        let y = x.mul(1)
        for (let i = 0; i < 20_000; i++) {
          const next = y.add(1)
          y.dispose()
          y = next
        }
        return y
      })
    chain().backward()
    expect(values(x.grad!)).toEqual([1])
    chain().dispose()
  })
})

describe('grad', () => {
  test('gives first and second derivatives and leaves .grad alone', () => {
    const x = leaf([1, 2, 3])
    const y = x.pow(3).sum()
    const [first] = grad(y, [x], { createGraph: true })
    expect(values(first!)).toEqual([3, 12, 27])
    const [second] = grad(first!.sum(), [x])
    expect(values(second!)).toEqual([6, 12, 18])
    expect(x.grad).toBeNull()
  })

  test('weights the outputs, and reports unused inputs', () => {
    const [x, unused] = [leaf([1, 2]), leaf([1])]
    const [weighted] = grad([x.mul(3)], [x], { gradients: [tensor([1, -1], { dtype: 'float64' })] })
    expect(values(weighted!)).toEqual([3, -3])
    expect(grad(x.sum(), [unused], { allowUnused: true })).toEqual([null])
    expect(() => grad(x.sum(), [unused])).toThrow(/not have been used/)
  })

  test('agrees with finite differences through a product of layers', () => {
    const at = [0.4, -1.2, 0.9]
    const f = (v: number[]) => {
      const x = leaf(v)
      return {
        x,
        y: x
          .reshape(1, 3)
          .softmax(1)
          .mul(tensor([[1, 2, 4]]))
          .sum()
          .tanh()
          .add(x.sigmoid().mean()),
      }
    }
    const { x, y } = f(at)
    const [analytic] = grad(y, [x])
    const h = 1e-6
    const numeric = at.map((_, i) => {
      const shifted = (by: number) => f(at.map((v, j) => (i === j ? v + by : v))).y.item()
      return (shifted(h) - shifted(-h)) / (2 * h)
    })
    expectClose(analytic!, numeric, 1e-8)
  })
})

describe('recording', () => {
  test('noGrad and enableGrad nest and are restored, after exceptions too', () => {
    const x = leaf([1])
    noGrad(() => {
      expect(isGradEnabled()).toBe(false)
      expect(x.mul(2).requiresGrad).toBe(false)
      enableGrad(() => expect(x.mul(2).requiresGrad).toBe(true))
      expect(isGradEnabled()).toBe(false)
    })
    const fail = () => {
      throw new Error('inside')
    }
    expect(() => noGrad(fail)).toThrow('inside')
    expect(isGradEnabled()).toBe(true)
    expect(() => noGrad(async () => 1)).toThrow(TypeError)
    expect(isGradEnabled()).toBe(true)
  })

  test('detach cuts, a frozen leaf gets nothing', () => {
    const [x, w] = [leaf([2]), leaf([5])]
    x.mul(w.detach()).sum().backward()
    expect(values(x.grad!)).toEqual([5])
    expect(w.grad).toBeNull()
    w.requiresGrad = false
    expect(w.mul(1).requiresGrad).toBe(false)
    const y = x.mul(2)
    expect(y.isLeaf).toBe(false)
    expect(() => {
      y.requiresGrad = false
    }).toThrow(/leaf/)
  })

  test('writing a leaf that requires a gradient is refused while recording', () => {
    const x = leaf([1])
    expect(() => x.add_(1)).toThrow(/leaf Variable/)
    noGrad(() => x.add_(1))
    expect(values(x)).toEqual([2])
  })

  test('a changed saved tensor is noticed', () => {
    const x = leaf([1])
    const y = x.mul(2)
    const z = y.mul(y).sum()
    y.add_(1)
    expect(() => z.backward()).toThrow(/modified by an inplace operation/)
  })

  test('grad can be set, but only to what fits', () => {
    const x = leaf([1, 2])
    x.grad = tensor([5, 6], { dtype: 'float64' })
    expect(values(x.grad!)).toEqual([5, 6])
    expect(() => {
      x.grad = tensor([1, 2, 3], { dtype: 'float64' })
    }).toThrow(/shape/)
    expect(() => {
      x.grad = tensor([1, 2])
    }).toThrow(/dtype/)
    expect(() => {
      x.grad = x
    }).toThrow(/own gradient/)
  })
})

describe('autocast', () => {
  const image = () => ones([1, 2, 4, 4])

  test('matmul, linear and conv2d give bfloat16; sums of them do too; losses are float32', () => {
    autocast({}, () => {
      expect(ones([2, 3]).matmul(ones([3, 2])).dtype).toBe('bfloat16')
      expect(F.linear(ones([2, 3]), ones([4, 3]), ones([4])).dtype).toBe('bfloat16')
      expect(F.conv2d(image(), ones([3, 2, 3, 3])).dtype).toBe('bfloat16')
      expect(ones([2]).add(1).dtype).toBe('float32')
      expect(F.mseLoss(F.linear(ones([2, 3]), ones([4, 3])), ones([2, 4])).dtype).toBe('float32')
    })
    expect(ones([2, 3]).matmul(ones([3, 2])).dtype).toBe('float32')
  })

  test('nests, can be switched off inside, and is restored after exceptions', () => {
    const product = () => ones([2, 2]).matmul(ones([2, 2])).dtype
    autocast({}, () => {
      expect(autocast({ enabled: false }, product)).toBe('float32')
      expect(autocast({}, product)).toBe('bfloat16')
      expect(product()).toBe('bfloat16')
    })
    expect(() =>
      autocast({}, () => {
        throw new Error('inside')
      }),
    ).toThrow('inside')
    expect(() => autocast({}, async () => 1)).toThrow(TypeError)
    expect(product()).toBe('float32')
    expect(native().autocastState('cpu')[0]).toBe(false)
  })

  test('parameters get float32 gradients, and a cast weight is not remembered past an update', () => {
    const layer = new Linear(2, 1, { bias: false })
    const x = arange(1, 3).reshape(1, 2)
    const run = () => autocast({}, () => layer.forward(x).sum())
    noGrad(() => layer.weight.fill_(1))
    const loss = run()
    expect(loss.item()).toBe(3)
    loss.backward()
    expect(layer.weight.grad!.dtype).toBe('float32')
    expect(values(layer.weight.grad!)).toEqual([1, 2])
    noGrad(() => layer.weight.fill_(2))
    expect(run().item()).toBe(6)
  })

  test('knows only cpu and cuda', () => {
    expect(codeOf(() => native().setAutocast('meta', true, 15))).toBe('ERR_ARGUMENT')
    expect(codeOf(() => native().setAutocast('cpu', true, 6))).toBe('ERR_ARGUMENT')
  })
})
