import { describe, expect, test } from 'vitest'
import { codeOf, expectClose, values } from '../test/support/values.js'
import { arange, tensor, zeros } from './create.js'
import { inPlaceOp, schemaOf, tensorOp, tensorsOp, valueOp } from './dispatch.js'
import * as F from './functional.js'
import { Generator } from './generator.js'
import { liveTensors, tidy } from './tidy.js'

describe('any operator', () => {
  test('by its name and overload, with defaults for what is left out', () => {
    const logsumexp = tensorOp('aten::logsumexp')
    const rows = [
      [1, 2],
      [3, 5],
    ]
    expectClose(
      logsumexp(tensor(rows), [1]),
      rows.map((row) => Math.log(Math.exp(row[0]!) + Math.exp(row[1]!))),
      1e-6,
    )
    expect(logsumexp(tensor(rows), 1, true).shape).toEqual([2, 1]) // a number stands for a list of one
    expect(values(tensorOp('aten::einsum')('ij->ji', [tensor(rows)]))).toEqual([1, 3, 2, 5])
    expect(values(tensorOp('aten::flip')(tensor([1, 2, 3]), [0]))).toEqual([3, 2, 1])
  })

  test('every kind of argument', () => {
    const x = arange(0, 6).reshape(2, 3)
    const index = tensor([1], { dtype: 'int64' })
    expect(values(tensorOp('aten::index', 'Tensor')(x, [null, index]))).toEqual([1, 4]) // optional tensors
    expect(values(tensorOp('aten::clamp')(x, null, 2))).toEqual([0, 1, 2, 2, 2, 2]) // optional numbers
    expect(values(tensorOp('aten::full')([2], true, 11))).toEqual([1, 1]) // a boolean Scalar, a dtype code
    expect(tensorOp('aten::full')([1], 2n ** 53n + 1n, 4).item()).toBe(2n ** 53n + 1n) // bigint
    expect(
      tensorOp('aten::empty', 'memory_format')([1, 2, 2, 2], 6, null, 'cpu', false, 2).isContiguous(
        'channelsLast',
      ),
    ).toBe(true)
    const kept = tensorOp('aten::bernoulli', 'p')(zeros([100]), 0.25, new Generator(3))
    expect(kept.sum().item()).toBeGreaterThan(5)
    expectClose(
      tensorOp('aten::upsample_nearest2d')(tensor([[[[1, 2]]]]), [2, 2], null, null),
      [1, 2, 1, 2],
      0,
    )
    expect(values(tensorOp('aten::constant_pad_nd')(tensor([1]), [1, 2], 0.5))).toEqual([0.5, 1, 0.5, 0.5])
  })

  test('every kind of result', () => {
    const [u, s, v] = tensorsOp('aten::linalg_svd')(
      tensor([
        [3, 0],
        [0, -2],
      ]),
      false,
    )
    expectClose(s!, [3, 2], 1e-6)
    expect([u!.shape, v!.shape]).toEqual([
      [2, 2],
      [2, 2],
    ])
    expect(tensorsOp('aten::chunk')(arange(0, 5), 2).map((part) => part.numel)).toEqual([3, 2])
    expect(valueOp<boolean>('aten::equal')(tensor([1, 2]), tensor([1, 2]))).toBe(true)
    expect(valueOp<number>('aten::item')(tensor(0.5))).toBe(0.5)
    const pair = [tensor([1]), tensor([2])]
    expect(valueOp('aten::_foreach_mul_', 'Scalar')(pair, 3)).toBeUndefined()
    expect(pair.map((x) => x.item())).toEqual([3, 6])
    const x = tensor([4])
    expect(inPlaceOp('aten::sqrt_')(x)).toBe(x)
    expect(x.item()).toBe(2)
  })

  test('tensorOp refuses what is not one tensor before it is computed', () => {
    const before = liveTensors()
    tidy(() => {
      const x = tensor([1, 2])
      for (const [name, overload, result] of [
        ['aten::topk', '', '(Tensor values, Tensor indices)'],
        ['aten::unbind', 'int', 'Tensor(a)[]'],
        ['aten::size', 'int', 'int'],
        ['aten::_foreach_add_', 'Scalar', '()'],
      ] as const) {
        const call = tensorOp(name, overload)
        expect(() => call(x, 1)).toThrow(TypeError)
        expect(() => call(x, 1)).toThrow(`the result of ${name} is ${result}`)
      }
    })
    expect(liveTensors()).toBe(before)
  })

  test('tensorOp refuses in-place operators, whose result has a handle already, but not those with an out argument', () => {
    const x = tensor([-1, 2])
    expect(() => tensorOp('aten::relu_')(x)).toThrow(/aten::relu_ writes its first argument; use inPlaceOp/)
    expect(values(x)).toEqual([-1, 2])
    const out = zeros([2])
    expect(values(tensorOp('aten::neg', 'out')(x, out))).toEqual([1, -2])
    expect(values(out)).toEqual([1, -2])
  })

  test('an operator that returns its argument gives a tensor of its own', () => {
    const x = tensor([1, 2])
    const same = [
      x.contiguous(),
      x.flatten(),
      x.reshape(2),
      x.expand(2),
      F.dropout(x, 0.5, false),
      tensorOp('aten::to', 'dtype')(x, 6),
    ]
    for (const y of same) {
      expect(y.handle).not.toBe(x.handle)
      y.dispose()
    }
    expect(values(x)).toEqual([1, 2])
    const copy = x.contiguous()
    x.dispose()
    expect(values(copy)).toEqual([1, 2])
  })

  test('schemaOf prints what libtorch knows', () => {
    expect(schemaOf('aten::relu')).toBe('aten::relu(Tensor self) -> Tensor')
    expect(schemaOf('aten::add', 'Tensor')).toMatch(/Scalar alpha=1\) -> Tensor/)
  })
})

describe('errors', () => {
  test('name the operator, the argument and the kind', () => {
    const x = tensor([1, 2])
    const missing = tensorOp('aten::no_such_thing') // looked up at the call
    expect(codeOf(() => missing(x))).toBe('ERR_OPERATOR')
    expect(() => missing(x)).toThrow(/aten::no_such_thing/)
    const select = tensorOp('aten::select', 'int')
    expect(() => select(x, 'a', 0)).toThrow(/^aten::select\.int: dim must be an integer$/)
    expect(() => select(x, 0.5, 0)).toThrow(/dim must be an integer, got 0\.5/)
    expect(() => select(x)).toThrow(/missing argument 'dim'/)
    expect(() => select(x, null, 0)).toThrow(/'dim' must not be null/)
    expect(() => select(x, 0, 0, 0, 0)).toThrow(/takes 3 arguments, got 5/)
    expect(codeOf(() => select(x, 'a', 0))).toBe('ERR_ARGUMENT')
    expect(codeOf(() => select(x, 0, 7))).toBe('ERR_TORCH')
    expect(() => select(x, 0, 7)).toThrow(/out of range/)
    expect(() => tensorOp('aten::relu')(5)).toThrow(/self is a disposed or foreign tensor/)
    expect(() => tensorOp('aten::relu')('x')).toThrow(/self must be a tensor/)
    expect(codeOf(() => tensorOp('aten::zeros')([2], 99))).toBe('ERR_ARGUMENT') // no such dtype
    expect(codeOf(() => tensorOp('aten::zeros')([1e15]))).toMatch(/ERR_TORCH|ERR_MEMORY/)
  })

  test('carry no C++ backtrace, and keep the JS stack', () => {
    try {
      zeros([2]).matmul(zeros([3]))
      expect.unreachable()
    } catch (error) {
      const { message, stack } = error as Error
      expect(message).not.toMatch(/frame #|\.cpp:\d+|0x[0-9a-f]{6}/)
      expect(stack).toMatch(/dispatch\.test\.ts/)
    }
  })
})
