import { describe, expect, test } from 'vitest'
import { codeOf, values } from '../test/support/values.js'
import {
  arange,
  cat,
  empty,
  eye,
  fromTypedArray,
  full,
  linspace,
  oneHot,
  ones,
  rand,
  randint,
  randn,
  randperm,
  stack,
  tensor,
  where,
  zeros,
} from './create.js'
import { type DType, dtypes } from './dtype.js'
import { Generator } from './generator.js'

describe('tensor', () => {
  test('takes nested arrays row by row', () => {
    const x = tensor([[[1, 2]], [[3, 4]], [[5, -6]]])
    expect(x.shape).toEqual([3, 1, 2])
    expect(x.dtype).toBe('float32')
    expect(values(x)).toEqual([1, 2, 3, 4, 5, -6])
  })

  test('makes scalars, empty tensors and every dtype', () => {
    expect(tensor(3.5).shape).toEqual([])
    expect(tensor(3.5).item()).toBe(3.5)
    expect(tensor([]).shape).toEqual([0])
    expect(tensor([[], []]).shape).toEqual([2, 0])
    for (const dtype of Object.keys(dtypes) as DType[]) {
      const x = tensor([0, 1], { dtype })
      expect(x.dtype).toBe(dtype)
      expect(Array.from(x.toFloat32Array())).toEqual([0, 1])
    }
    expect(values(tensor([true, false], { dtype: 'bool' }))).toEqual([1, 0])
  })

  test('refuses ragged rows', () => {
    expect(() => tensor([[1, 2], [3]])).toThrow(/row of dimension 1/)
    expect(() => tensor([1, [2]])).toThrow(/depth/)
    expect(() => tensor([[1], 2])).toThrow(/row of dimension 1/)
  })

  test('can require a gradient', () => {
    expect(tensor([1], { requiresGrad: true }).requiresGrad).toBe(true)
    expect(zeros([2], { requiresGrad: true }).isLeaf).toBe(true)
    expect(codeOf(() => tensor([1], { dtype: 'int64', requiresGrad: true }))).toBe('ERR_TORCH')
  })
})

describe('factories', () => {
  test('fill, count and space as their names say', () => {
    expect(values(zeros([2, 2]))).toEqual([0, 0, 0, 0])
    expect(values(ones([3], { dtype: 'int64' }))).toEqual([1, 1, 1])
    expect(values(full([2], -2.5, { dtype: 'float64' }))).toEqual([-2.5, -2.5])
    expect(values(arange(2, 5))).toEqual([2, 3, 4])
    const leaves = [
      arange(0, 2, 1, { requiresGrad: true }),
      linspace(0, 1, 2, { requiresGrad: true }),
      eye(2, { requiresGrad: true }),
    ]
    expect(leaves.every((x) => x.requiresGrad && x.isLeaf)).toBe(true)
    expect(values(arange(0, 1, 0.25))).toEqual([0, 0.25, 0.5, 0.75])
    expect(values(arange(5, 0, -2, { dtype: 'int64' }))).toEqual([5, 3, 1])
    expect(values(linspace(-1, 1, 5))).toEqual([-1, -0.5, 0, 0.5, 1])
    expect(values(eye(2))).toEqual([1, 0, 0, 1])
    expect(empty([4, 0, 2]).shape).toEqual([4, 0, 2])
  })

  test('join, choose and encode', () => {
    const [a, b] = [tensor([[1, 2]]), tensor([[3, 4]])]
    expect(values(cat([a, b]))).toEqual([1, 2, 3, 4])
    expect(cat([a, b], 1).shape).toEqual([1, 4])
    expect(stack([a, b], -1).shape).toEqual([1, 2, 2])
    expect(values(stack([a, b], -1))).toEqual([1, 3, 2, 4])
    expect(values(where(a.gt(1), a, b))).toEqual([3, 2])
    expect(values(oneHot(tensor([2, 0], { dtype: 'int64' }), 3))).toEqual([0, 0, 1, 1, 0, 0])
  })

  test('draw within their bounds', () => {
    const generator = new Generator(1)
    const uniform = values(rand([1000], { generator }))
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...uniform)).toBeLessThan(1)
    const integers = values(randint(-2, 3, [500], generator))
    expect([...new Set(integers)].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2])
    expect(values(randperm(50, generator)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 50 }, (_, i) => i),
    )
    const normal = randn([10_000], { generator, dtype: 'float64' })
    expect(Math.abs(normal.mean().item())).toBeLessThan(0.04) // 4 standard errors
    expect(Math.abs(normal.var(0).item() - 1)).toBeLessThan(0.06)
  })
})

describe('fromTypedArray', () => {
  test('copies: later writes to the array are not seen', () => {
    const data = Float32Array.of(1, 2)
    const x = fromTypedArray(data, [2])
    data[0] = 9
    expect(values(x)).toEqual([1, 2])
  })

  test('reads views with an offset, Buffers and SharedArrayBuffers', () => {
    expect(values(fromTypedArray(Int32Array.of(1, 2, 3, 4).subarray(1, 3), [2]))).toEqual([2, 3])
    const bytes = fromTypedArray(Buffer.from([7, 255]), [2])
    expect(bytes.dtype).toBe('uint8')
    expect(values(bytes)).toEqual([7, 255])
    const shared = new Int16Array(new SharedArrayBuffer(8), 2, 3)
    shared.set([1, -2, 3])
    expect(values(fromTypedArray(shared, [3, 1]))).toEqual([1, -2, 3])
  })

  test('refuses lengths that differ from the shape, and arrays of no dtype', () => {
    expect(codeOf(() => fromTypedArray(new Float32Array(5), [2, 2]))).toBe('ERR_ARGUMENT')
    expect(codeOf(() => fromTypedArray(new Float32Array(4), [-2, -2]))).toBe('ERR_ARGUMENT')
    expect(codeOf(() => fromTypedArray(new Float32Array(0), [2 ** 40, 2 ** 40]))).toBe('ERR_ARGUMENT')
    expect(() => fromTypedArray(new BigUint64Array(1), [1])).toThrow(/BigUint64Array/)
    expect(() => fromTypedArray(new Uint16Array(1), [1])).toThrow(/Uint16Array/)
  })
})
