import { expect, test } from 'vitest'
import { expectClose, values } from '../../test/support/values.js'
import { ones, randn, tensor, zeros } from '../create.js'
import { Generator } from '../generator.js'
import type { Tensor } from '../tensor/tensor.js'
import { allFinite } from './finite.js'
import { foreachClone, foreachLerp_, foreachMulTensor_, foreachNorm } from './foreach.js'

const generator = new Generator(3)
const draw = (...shape: number[]): Tensor => randn(shape, { generator, dtype: 'float64' })

test('foreachLerp_ moves each tensor a part of the way to its end', () => {
  for (const weight of [0, 0.004, 0.3, 0.7, 1]) {
    const [from, to] = [
      [draw(3, 4), draw(5)],
      [draw(3, 4), draw(5)],
    ]
    const expected = from.map((a, i) => {
      const b = values(to[i]!)
      return values(a).map((value, j) => (1 - weight) * value + weight * b[j]!)
    })
    foreachLerp_(from, to, weight)
    for (const [i, a] of from.entries()) expectClose(a, expected[i]!, 1e-14)
  }
})

test('foreachNorm is the norm of each tensor', () => {
  const list = [tensor([3, -4]), tensor([[1, 2, 2]])]
  expect(foreachNorm(list).map((norm) => norm.item())).toEqual([5, 3])
  expect(foreachNorm(list, Infinity).map((norm) => norm.item())).toEqual([4, 2])
})

test('foreachMulTensor_ takes its factor from a tensor, foreachClone copies', () => {
  const list = [tensor([1, 2]), tensor([[3]])]
  const copies = foreachClone(list)
  foreachMulTensor_(list, tensor(0.5))
  expect(list.map(values)).toEqual([[0.5, 1], [1.5]])
  expect(copies.map(values)).toEqual([[1, 2], [3]])
})

test('a copy lies in memory as its original', () => {
  const [copy] = foreachClone([ones([2, 3, 2, 2]).contiguous('channelsLast')])
  expect(copy!.strides).toEqual([12, 1, 6, 3])
})

test.each([Number.NaN, Infinity, -Infinity])('allFinite sees one %d among many', (bad) => {
  const list = () => [zeros([1000]), tensor([1, 2, 1e30]), ones([3], { dtype: 'float64' }), zeros([0])]
  expect(allFinite(list()).item()).toBe(1)
  for (const which of [0, 1, 2])
    for (const end of [0, -1]) {
      const spoiled = list()
      const { numel } = spoiled[which]!
      spoiled[which]!.select(0, end < 0 ? numel - 1 : 0).fill_(bad)
      expect(allFinite(spoiled).item()).toBe(0)
    }
})

test('allFinite: large numbers of every dtype are finite, and so is nothing', () => {
  expect(allFinite([tensor([3e38]), tensor([1e308], { dtype: 'float64' })]).item()).toBe(1)
  for (const dtype of ['float16', 'bfloat16'] as const)
    expect(allFinite([ones([4096], { dtype }).mul(60000)]).item()).toBe(1)
  expect(allFinite([]).item()).toBe(1)
  expect(allFinite([]).dtype).toBe('bool')
})
