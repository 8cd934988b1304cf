import {
  fromTypedArray,
  Generator,
  grad,
  liveTensors,
  manualSeed,
  noGrad,
  randn,
  setNumThreads,
  tidy,
} from 'trex-torch'
import { beforeAll, expect, test } from 'vitest'
import { gradCheck } from '../../../torch/test/support/gradCheck.js'
import { vit } from './vit.js'
import { TransformerBlock } from './vitBlock.js'
import { positionsAt } from './vitPositions.js'

beforeAll(() => setNumThreads(1))

const leaf = (generator: Generator, ...shape: number[]) =>
  randn(shape, { dtype: 'float64', requiresGrad: true, generator })

test('a block: autograd against central differences', () => {
  const generator = new Generator(5)
  const block = new TransformerBlock(6, 2, 0, generator).to({ dtype: 'float64' })
  const errors = gradCheck((x) => block.forward(x), [leaf(generator, 2, 5, 6), ...block.parameters()])
  expect(Math.max(...errors)).toBeLessThan(1e-7)
})

test('positions at a larger, a smaller and an oblong grid: autograd against central differences', () => {
  const positions = leaf(new Generator(6), 1, 10, 4)
  for (const grid of [
    [5, 5],
    [2, 2],
    [2, 4],
  ] as const)
    expect(Math.max(...gradCheck((p) => positionsAt(p, grid), [positions]))).toBeLessThan(1e-8)
})

test('positions at their own grid are left alone; constants stay constant', () => {
  const positions = leaf(new Generator(6), 1, 10, 4)
  expect(positionsAt(positions, [3, 3])).toBe(positions)
  const flat = fromTypedArray(new Float64Array(40).fill(7), [1, 10, 4])
  for (const value of positionsAt(flat, [5, 2]).toTypedArray()) expect(value).toBeCloseTo(7, 12)
  expect(() => positionsAt(leaf(new Generator(6), 1, 9, 4), [2, 2])).toThrow(/no square/)
})

test('a whole model: the gradient by the image and by the position embedding', () => {
  const generator = new Generator(8)
  const model = vit('vit_tiny', { patchSize: 16, imageSize: 48, pooling: 'mean', generator }).to({
    dtype: 'float64',
  })
  const x = leaf(generator, 1, 3, 32, 32)
  const [first, second] = [model.namedParameters()].flatMap((all) => [...all]).slice(0, 2)
  const along = (tensor: typeof x) => {
    // One random direction: d f / d t at t = 0 against a central difference.
    const direction = randn(tensor.shape, { dtype: 'float64', generator })
    const loss = () => model.forward(x).mul(weights).sum()
    const analytic = tidy(() => grad(loss(), [tensor])[0]!.mul(direction).sum().item())
    const start = tensor.toTypedArray() as Float64Array
    const steps = direction.toTypedArray() as Float64Array
    const at = (t: number) => {
      tensor.setData(start.map((value, i) => value + t * steps[i]!))
      return tidy(() => loss().item())
    }
    const numeric = (at(1e-5) - at(-1e-5)) / 2e-5
    tensor.setData(start)
    return Math.abs(analytic / numeric - 1)
  }
  const weights = randn([1, 192], { dtype: 'float64', generator })
  expect([first![0], second![0]]).toEqual(['cls_token', 'pos_embed'])
  for (const tensor of [x, second![1]]) expect(along(tensor)).toBeLessThan(1e-7)
})

test('stochastic depth: off by default and in evaluation, an image at a time, unbiased, by the default generator', () => {
  const generator = new Generator(9)
  const block = new TransformerBlock(8, 2, 0.5, generator)
  noGrad(() => block.attn.proj.weight.fill_(0)) // one residual is left, in which the result is linear
  const x = randn([64, 3, 8], { generator })
  const rows = (y: typeof x) => [...(y.toTypedArray() as Float32Array)]
  const full = tidy(() => rows(block.eval().forward(x)))
  block.train()
  manualSeed(3)
  const one = tidy(() => rows(block.forward(x)))
  const other = tidy(() => rows(block.forward(x)))
  manualSeed(3)
  expect(tidy(() => rows(block.forward(x)))).toEqual(one)
  expect(other).not.toEqual(one)
  const input = rows(x)
  const untouched = Array.from({ length: 64 }, (_, image) =>
    one.slice(image * 24, image * 24 + 24).every((value, i) => value === input[image * 24 + i]),
  )
  // of 64 images half, with a standard deviation of 4
  expect(Math.abs(untouched.filter(Boolean).length - 32)).toBeLessThan(16)
  expect(full.every((value, i) => value !== input[i])).toBe(true)
  const sums = tidy(() => {
    let mean = 0
    for (let i = 0; i < 400; i++) mean += tidy(() => block.forward(x).sub(x).sum().item()) / 400
    return [mean, full.reduce((sum, value, i) => sum + value - input[i]!, 0)]
  })
  expect(Math.abs(sums[0]! / sums[1]! - 1)).toBeLessThan(0.05)
})

test('sizes that the patches do not divide are refused', () => {
  expect(() => vit('vit_tiny', { patchSize: 16, imageSize: 100 })).toThrow(
    /100 px are not made of patches of 16/,
  )
  const model = vit('vit_tiny', { patchSize: 16, imageSize: 32 })
  expect(() => model.forward(randn([1, 3, 32, 40]))).toThrow(/32x40 px are not made of patches/)
})

test('a forward and backward pass leaves nothing behind but the gradients', () => {
  const model = vit('vit_tiny', { patchSize: 8, imageSize: 32 })
  const x = randn([2, 3, 32, 32])
  const before = liveTensors()
  const kept = tidy(() => model.forward(x))
  expect(liveTensors() - before).toBe(1)
  kept.sum().backward()
  kept.dispose()
  model.dispose()
})
