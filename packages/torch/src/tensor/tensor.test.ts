import { describe, expect, test } from 'vitest'
import { codeOf, expectClose, values } from '../../test/support/values.js'
import { arange, full, tensor, zeros } from '../create.js'

const grid = () => arange(0, 6).reshape(2, 3) // 0 1 2 / 3 4 5

describe('element-wise', () => {
  test('arithmetic with tensors and numbers', () => {
    const [a, b] = [tensor([1, 2, 3]), tensor([4, -5, 0.5])]
    expect(values(a.add(b))).toEqual([5, -3, 3.5])
    expect(values(a.add(b, -2))).toEqual([-7, 12, 2])
    expect(values(a.sub(1))).toEqual([0, 1, 2])
    expect(values(a.mul(b))).toEqual([4, -10, 1.5])
    expect(values(a.div(2))).toEqual([0.5, 1, 1.5])
    expect(values(a.pow(2))).toEqual([1, 4, 9])
    expect(values(tensor([2, 3]).pow(tensor([3, 2])))).toEqual([8, 9])
    expect(values(b.neg())).toEqual([-4, 5, -0.5])
    expect(values(b.abs())).toEqual([4, 5, 0.5])
  })

  test('broadcasting follows the rules, and says when it cannot', () => {
    const column = tensor([[10], [20]])
    expect(values(grid().add(column))).toEqual([10, 11, 12, 23, 24, 25])
    expect(column.mul(tensor([1, 2, 3])).shape).toEqual([2, 3])
    expect(grid().add(tensor(1)).shape).toEqual([2, 3])
    expect(zeros([5, 1, 4]).add(zeros([3, 1])).shape).toEqual([5, 3, 4])
    expect(() => grid().add(tensor([1, 2]))).toThrow(
      /size of tensor a \(3\) must match the size of tensor b \(2\)/,
    )
    expect(codeOf(() => grid().add(tensor([1, 2])))).toBe('ERR_TORCH')
  })

  test('functions against Math', () => {
    const points = [-1.5, -0.2, 0.4, 2.7]
    const x = tensor(points, { dtype: 'float64' })
    const check = (actual: ReturnType<typeof tensor>, f: (v: number) => number) =>
      expectClose(actual, points.map(f), 1e-14)
    check(x.exp(), Math.exp)
    check(x.sin(), Math.sin)
    check(x.cos(), Math.cos)
    check(x.tanh(), Math.tanh)
    check(x.sigmoid(), (v) => 1 / (1 + Math.exp(-v)))
    check(x.relu(), (v) => Math.max(v, 0))
    check(x.floor(), Math.floor)
    check(x.abs().sqrt(), (v) => Math.sqrt(Math.abs(v)))
    check(x.abs().log(), (v) => Math.log(Math.abs(v)))
    check(x.clamp(-0.5, 1), (v) => Math.min(Math.max(v, -0.5), 1))
    check(x.clamp(null, 0), (v) => Math.min(v, 0))
  })

  test('rounds halves to even, as PyTorch does', () => {
    expect(values(tensor([0.5, 1.5, 2.5, -0.5]).round())).toEqual([0, 2, 2, -0])
  })

  test('comparisons give bools', () => {
    const x = tensor([1, 2, 3])
    expect(x.eq(2).dtype).toBe('bool')
    expect(values(x.eq(2))).toEqual([0, 1, 0])
    expect(values(x.ne(tensor([1, 0, 3])))).toEqual([0, 1, 0])
    expect([x.lt(2), x.le(2), x.gt(2), x.ge(2)].map((y) => values(y).join(''))).toEqual([
      '100',
      '110',
      '001',
      '011',
    ])
    expect(values(tensor([1, Number.NaN, Infinity]).isfinite())).toEqual([1, 0, 0])
    expect(values(x.eq(2).logicalNot())).toEqual([1, 0, 1])
    expect([x.gt(0).all().item(), x.gt(2).all().item(), x.gt(2).any().item()]).toEqual([1, 0, 1])
    expect(values(x.maximum(tensor([2, 2, 2])))).toEqual([2, 2, 3])
    expect(values(x.minimum(tensor([2, 2, 2])))).toEqual([1, 2, 2])
  })

  test('in place: the same object, the same memory', () => {
    const x = tensor([1, 2])
    const view = x.reshape(2, 1)
    expect(x.add_(1)).toBe(x)
    expect(
      x
        .mul_(tensor([2, 3]))
        .sub_(1)
        .div_(2),
    ).toBe(x)
    expect(values(view)).toEqual([1.5, 4])
    expect(values(x.fill_(-1).relu_())).toEqual([0, 0])
    expect(values(x.copy_(tensor([5, 6])).clamp_(null, 5.5))).toEqual([5, 5.5])
    expect(values(tensor([0, 10]).lerp_(tensor([10, 20]), 0.25))).toEqual([2.5, 12.5])
    expect(values(zeros([3]).indexAdd_(0, tensor([2, 0, 2], { dtype: 'int64' }), tensor([1, 2, 3])))).toEqual(
      [2, 0, 4],
    )
  })

  test('softmax of a row', () => {
    const e = [1, 2, 3].map(Math.exp)
    const sum = e.reduce((a, b) => a + b)
    const x = tensor([[1, 2, 3]], { dtype: 'float64' })
    expectClose(
      x.softmax(1),
      e.map((v) => v / sum),
      1e-15,
    )
    expectClose(
      x.logSoftmax(-1),
      e.map((v) => Math.log(v / sum)),
      1e-14,
    )
  })
})

describe('reductions', () => {
  test('over all elements and over dimensions', () => {
    expect(grid().sum().item()).toBe(15)
    expect(grid().mean().item()).toBe(2.5)
    expect(values(grid().sum(0))).toEqual([3, 5, 7])
    expect(values(grid().mean(-1))).toEqual([1, 4])
    expect(grid().sum([0, 1], true).shape).toEqual([1, 1])
    expect([grid().max().item(), grid().min().item()]).toEqual([5, 0])
    expect(values(grid().var(1))).toEqual([1, 1])
    expectClose(grid().var(1, false), [2 / 3, 2 / 3])
    expectClose(values(grid().norm()), [Math.sqrt(55)])
    expect(values(grid().norm(1, 1))).toEqual([3, 12])
    expect(values(grid().cumsum(1))).toEqual([0, 1, 3, 3, 7, 12])
  })

  test('positions and orders', () => {
    const x = tensor([
      [3, 1, 2],
      [9, 8, 10],
    ])
    expect(x.argmax().item()).toBe(5)
    expect(values(x.argmax(1))).toEqual([0, 2])
    const [top, at] = x.topk(2)
    expect(values(top)).toEqual([3, 2, 10, 9])
    expect(values(at)).toEqual([0, 2, 2, 0])
    expect(at.dtype).toBe('int64')
    const [sorted, order] = x.sort(0, true)
    expect(values(sorted)).toEqual([9, 8, 10, 3, 1, 2])
    expect(values(order)).toEqual([1, 1, 1, 0, 0, 0])
  })
})

describe('products and shapes', () => {
  test('matmul of matrices, of batches and of vectors', () => {
    const a = tensor([
      [1, 2],
      [3, 4],
    ])
    expect(
      values(
        a.matmul(
          tensor([
            [5, 6],
            [7, 8],
          ]),
        ),
      ),
    ).toEqual([19, 22, 43, 50])
    expect(values(a.matmul(tensor([1, -1])))).toEqual([-1, -1])
    expect(zeros([7, 2, 3]).matmul(zeros([3, 5])).shape).toEqual([7, 2, 5])
    expect(() => a.matmul(zeros([3, 3]))).toThrow(/shapes cannot be multiplied/)
  })

  test('views', () => {
    const x = grid()
    expect(values(x.t())).toEqual([0, 3, 1, 4, 2, 5])
    expect(x.t().strides).toEqual([1, 3])
    expect(x.t().isContiguous()).toBe(false)
    expect(x.t().contiguous().isContiguous()).toBe(true)
    expect(x.transpose(0, 1).shape).toEqual([3, 2])
    expect(zeros([2, 3, 4]).permute(2, 0, 1).shape).toEqual([4, 2, 3])
    expect(x.reshape(3, -1).shape).toEqual([3, 2])
    expect(zeros([2, 3, 4]).flatten(1).shape).toEqual([2, 12])
    expect(x.unsqueeze(1).shape).toEqual([2, 1, 3])
    expect(x.unsqueeze(0).squeeze(0).shape).toEqual([2, 3])
    expect(tensor([[1], [2]]).expand(2, 3).strides).toEqual([1, 0])
    expect(values(tensor([1, 2]).repeat(2, 2))).toEqual([1, 2, 1, 2, 1, 2, 1, 2])
    expect(() => x.reshape(4, 2)).toThrow(/invalid for input of size 6/)
  })

  test('parts', () => {
    const x = grid()
    expect(values(x.slice(1, 0, null, 2))).toEqual([0, 2, 3, 5])
    expect(values(x.slice(1, -1))).toEqual([2, 5])
    expect(values(x.select(0, -1))).toEqual([3, 4, 5])
    expect(values(x.narrow(1, 1, 2))).toEqual([1, 2, 4, 5])
    expect(values(x.indexSelect(1, tensor([2, 0], { dtype: 'int64' })))).toEqual([2, 0, 5, 3])
    expect(values(x.gather(1, tensor([[2], [0]], { dtype: 'int64' })))).toEqual([2, 3])
    expect(
      arange(0, 5)
        .split(2)
        .map((part) => values(part)),
    ).toEqual([[0, 1], [2, 3], [4]])
    x.select(0, 0).fill_(7)
    expect(values(x)).toEqual([7, 7, 7, 3, 4, 5])
  })

  test('metadata', () => {
    const x = full([2, 3, 4], 0)
    expect([x.dim, x.numel, x.size(-1), x.size(0)]).toEqual([3, 24, 4, 2])
    expect(x.device).toBe('cpu')
    expect(() => x.size(3)).toThrow(RangeError)
    expect(`${x}`).toBe('Tensor([2, 3, 4], float32, cpu)')
    expect(tensor(1).numel).toBe(1)
    expect(Object.isFrozen(x.shape)).toBe(true)
  })
})

describe('conversions', () => {
  test('to another dtype', () => {
    const x = tensor([-1.7, 0, 2.9])
    expect(values(x.to('int32'))).toEqual([-1, 0, 2])
    expect(values(x.to('bool'))).toEqual([1, 0, 1])
    expect(x.to('float64').dtype).toBe('float64')
    expect(x.to('float32')).toBe(x)
    expect(x.to('cpu')).toBe(x)
  })

  test('half precisions as raw words, rounded to nearest even', () => {
    // 1 + 2^-8 lies between two bfloat16 values (1 and 1 + 2^-7) and goes to the even one; 65520 overflows float16
    const x = tensor([1, -2, 0.1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 65520, Number.NaN])
    const bf16 = x.to('bfloat16').toTypedArray()
    expect(bf16).toBeInstanceOf(Uint16Array)
    expect([...bf16].slice(0, 6)).toEqual([0x3f80, 0xc000, 0x3dcd, 0x3f80, 0x3f82, 0x4780])
    expect(Number(bf16[6]) & 0x7f80).toBe(0x7f80)
    const f16 = [...x.to('float16').toTypedArray()]
    expect(f16.slice(0, 6)).toEqual([0x3c00, 0xc000, 0x2e66, 0x3c04, 0x3c0c, 0x7c00])
    expectClose(x.to('bfloat16').toFloat32Array().subarray(0, 3), [1, -2, 0.10009765625], 0)
  })

  test('to channels-last and back keeps the elements', () => {
    const x = arange(0, 24).reshape(1, 2, 3, 4)
    const last = x.to({ memoryFormat: 'channelsLast' })
    expect(last.strides).toEqual([24, 1, 8, 2])
    expect(last.isContiguous('channelsLast')).toBe(true)
    expect(last.to({ memoryFormat: 'channelsLast' })).toBe(last)
    expect(values(last)).toEqual(values(x))
    expect(last.contiguous().strides).toEqual([24, 12, 4, 1])
  })

  test('clone is a copy, detach a view', () => {
    const x = tensor([1, 2])
    const copy = x.clone()
    const view = x.detach()
    x.fill_(0)
    expect(values(copy)).toEqual([1, 2])
    expect(values(view)).toEqual([0, 0])
  })
})
