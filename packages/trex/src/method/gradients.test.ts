import { F, fromTypedArray, Generator, Linear, randn, setNumThreads, type Tensor } from 'trex-torch'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { gradCheck } from '../../../torch/test/support/gradCheck.js'
import { cosineLogits, linearLogits } from './cosineSoftmax.js'
import { Projector } from './projector.js'

// Autograd against central differences in float64.

const tolerance = 1e-8

beforeAll(() => setNumThreads(1))
let generator: Generator
beforeEach(() => {
  generator = new Generator(7)
})

const leaf = (...shape: number[]): Tensor => randn(shape, { dtype: 'float64', requiresGrad: true, generator })
const labels = fromTypedArray(BigInt64Array.of(0n, 3n, 1n, 2n, 0n), [5])

test('l2 normalisation', () => {
  expect(Math.max(...gradCheck((x) => F.normalize(x), [leaf(5, 4)]))).toBeLessThan(tolerance)
  expect(Math.max(...gradCheck((x) => F.normalize(x, 0), [leaf(5, 4)]))).toBeLessThan(tolerance)
})

test('cross-entropy of cosine logits, and of linear logits, by embeddings and weights', () => {
  const cosine = (z: Tensor, w: Tensor) => F.crossEntropy(cosineLogits(z, F.normalize(w), 0.1), labels)
  expect(Math.max(...gradCheck(cosine, [leaf(5, 6), leaf(4, 6)]))).toBeLessThan(tolerance)
  const linear = (z: Tensor, w: Tensor) => F.crossEntropy(linearLogits(z, w), labels)
  expect(Math.max(...gradCheck(linear, [leaf(5, 6), leaf(4, 6)]))).toBeLessThan(tolerance)
})

describe.each(['training', 'evaluation'])('projector in %s', (mode) => {
  test.each([
    { layers: 0, l2Input: true },
    { layers: 2, l2Input: true },
    { layers: 2, l2Input: false },
  ])('$layers hidden layers, l2Input $l2Input', (options) => {
    const projector = new Projector(6, { ...options, hidden: 5, bottleneck: 3, generator }).to({
      dtype: 'float64',
    })
    projector.train(mode === 'training')
    const errors = gradCheck((x: Tensor) => projector.forward(x), [leaf(7, 6), ...projector.parameters()])
    expect(Math.max(...errors)).toBeLessThan(tolerance)
  })
})

test('gradCheck finds a wrong gradient', () => {
  const layer = new Linear(3, 2, { generator }).to({ dtype: 'float64' })
  const wrong = (x: Tensor) => layer.forward(x).add(x.detach().mul(x.detach()).sum())
  expect(Math.max(...gradCheck(wrong, [leaf(4, 3)]))).toBeGreaterThan(0.1)
})
