import { beforeEach, describe, expect, test } from 'vitest'
import { codeOf, values } from '../test/support/values.js'
import { ones, tensor, zeros } from './create.js'
import type { Tensor } from './tensor/tensor.js'
import { keep, liveTensors, tidy } from './tidy.js'

let before: number
beforeEach(() => {
  before = liveTensors()
})
const grown = () => liveTensors() - before

describe('tidy', () => {
  test('disposes what it does not return', () => {
    let inner: Tensor | undefined
    const result = tidy(() => {
      inner = ones([2])
      return inner.add(1).mul(3)
    })
    expect(grown()).toBe(1)
    expect(inner!.isDisposed).toBe(true)
    expect(values(result)).toEqual([6, 6])
    result.dispose()
    expect(grown()).toBe(0)
  })

  test('finds survivors in arrays, objects and maps, at any depth and in cycles', () => {
    const result = tidy(() => {
      const node: { name: string; list: unknown[]; self?: unknown } = { name: 'n', list: [] }
      node.self = node
      let deep: unknown[] = [ones([1])]
      for (let i = 0; i < 50; i++) deep = [deep]
      node.list = [zeros([1]), [ones([2])], new Map([['a', { x: ones([3]) }]]), deep, null, 5]
      zeros([9])
      return node
    })
    expect(grown()).toBe(4)
    const [first, [second], map] = result.list as [Tensor, [Tensor], Map<string, { x: Tensor }>]
    expect([first, second, map.get('a')!.x].map((x) => x.numel)).toEqual([1, 2, 3])
  })

  test('nests: an inner result belongs to the outer scope', () => {
    tidy(() => {
      const a = tidy(() => tidy(() => ones([2]).add(1)))
      expect(grown()).toBe(1)
      expect(values(a)).toEqual([2, 2])
    })
    expect(grown()).toBe(0)
  })

  test('an inner scope leaves outer tensors alone, even when it returns them', () => {
    tidy(() => {
      const outer = ones([1])
      expect(tidy(() => outer)).toBe(outer)
      tidy(() => {
        outer.add(1)
      })
      expect(outer.isDisposed).toBe(false)
      expect(grown()).toBe(1)
    })
    expect(grown()).toBe(0)
  })

  test('disposes everything when the body throws, and the scope ends', () => {
    const fail = () =>
      tidy(() => {
        tidy(() => ones([1]).add(ones([2, 3])))
        ones([2]).add(ones([3]))
      })
    expect(codeOf(fail)).toBe('ERR_TORCH')
    expect(grown()).toBe(0)
    const outside = ones([1]) // would die with a scope left open
    tidy(() => 0)
    expect(outside.isDisposed).toBe(false)
    outside.dispose()
  })

  test('refuses promises', () => {
    expect(() => tidy(async () => ones([1]))).toThrow(TypeError)
    expect(grown()).toBe(0)
  })

  test('leaves tensors made outside of it', () => {
    const outside = ones([1])
    tidy(() => {
      outside.add(1)
    })
    expect(outside.isDisposed).toBe(false)
    outside.dispose()
  })
})

describe('keep', () => {
  test('takes a tensor out of every scope', () => {
    let state: Tensor | undefined
    tidy(() => {
      tidy(() => {
        state = keep(ones([2]))
        zeros([2]).persist().dispose()
      })
    })
    expect(grown()).toBe(1)
    expect(values(state!)).toEqual([1, 1])
    expect(keep(keep(state!))).toBe(state)
    state!.dispose()
    expect(grown()).toBe(0)
    keep(state!)
  })
})

describe('dispose and using', () => {
  test('using disposes at the end of the block', () => {
    {
      using x = ones([3])
      using y = x.add(1)
      expect(values(y)).toEqual([2, 2, 2])
      expect(grown()).toBe(2)
    }
    expect(grown()).toBe(0)
  })

  test('disposing twice, or inside a scope, is harmless', () => {
    const kept = tidy(() => {
      const x = ones([1])
      x.dispose()
      x.dispose()
      const reused = ones([2]) // may take the place of x in the handle table
      return reused
    })
    expect(values(kept)).toEqual([1, 1])
    kept.dispose()
    kept.dispose()
    expect(grown()).toBe(0)
  })

  test('a disposed tensor does not come back when its place is taken', () => {
    const old = tensor([1])
    const { handle } = old
    old.dispose()
    using young = tensor([2])
    old.handle = handle // a stale copy of the handle
    expect(codeOf(() => old.item())).toBe('ERR_DISPOSED')
    old.handle = 0
    expect(young.item()).toBe(2)
  })

  test('a returned tensor that was disposed stays disposed', () => {
    const x = tidy(() => {
      const inner = ones([1])
      inner.dispose()
      return inner
    })
    expect(x.isDisposed).toBe(true)
    expect(grown()).toBe(0)
  })
})
