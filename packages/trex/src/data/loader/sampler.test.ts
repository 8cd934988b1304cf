import { describe, expect, test } from 'vitest'
import { createSampler, type SamplerOptions } from './sampler.js'

function epochOf(options: SamplerOptions, epoch: number): number[][] {
  const sampler = createSampler(options)
  const order = sampler.order(epoch)
  return Array.from({ length: sampler.batches }, (_, i) => [...sampler.batch(order, i)])
}

describe('createSampler', () => {
  test('every sample once an epoch, in a new order each epoch that the seed decides', () => {
    const options = { length: 103, batchSize: 10, seed: 5, dropLast: false }
    const first = epochOf(options, 0).flat()
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 103 }, (_, i) => i))
    expect(epochOf(options, 0).flat()).toEqual(first)
    expect(epochOf(options, 1).flat()).not.toEqual(first)
    expect(epochOf({ ...options, seed: 6 }, 0).flat()).not.toEqual(first)
  })
  test('dropLast leaves the incomplete batch out', () => {
    expect(epochOf({ length: 103, batchSize: 10 }, 0).map((b) => b.length)).toEqual(Array(10).fill(10))
    expect(epochOf({ length: 103, batchSize: 10, dropLast: false }, 0).at(-1)).toHaveLength(3)
    expect(createSampler({ length: 5, batchSize: 10 }).batches).toBe(0)
  })
  test('ranks together see what one rank with the global batch sees, in rank order', () => {
    const whole = epochOf({ length: 103, batchSize: 12, seed: 1, dropLast: false }, 3)
    const ranks = [0, 1, 2].map((rank) =>
      epochOf({ length: 103, batchSize: 4, seed: 1, dropLast: false, rank, worldSize: 3 }, 3),
    )
    expect(whole.map((_, i) => ranks.flatMap((batches) => batches[i]!))).toEqual(whole)
    expect(ranks.map((batches) => batches.at(-1)!.length)).toEqual([2, 2, 3]) // 103 = 8 * 12 + 7
  })
  test('without shuffling: in order', () => {
    expect(epochOf({ length: 5, batchSize: 2, shuffle: false, dropLast: false }, 9)).toEqual([
      [0, 1],
      [2, 3],
      [4],
    ])
  })
  test('refuses nonsense', () => {
    expect(() => createSampler({ length: 5, batchSize: 0 })).toThrow(RangeError)
    expect(() => createSampler({ length: 5, batchSize: 1, rank: 2, worldSize: 2 })).toThrow(RangeError)
  })
})
