import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planReading, shuffleShards } from './shardOrder.js'

const anySizes = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 12 })
const anyKeys = [anySizes, fc.integer({ min: 1, max: 100 }), fc.nat(1000), fc.nat(50)] as const

/** The place of each sample in the shards read one after the other. */
function turns(sizes: readonly number[], shards: Uint32Array): number[] {
  const starts = sizes.map((_, s) => sizes.slice(0, s).reduce((a, b) => a + b, 0))
  const turn: number[] = []
  let next = 0
  for (const shard of shards) for (let i = 0; i < sizes[shard]!; i++) turn[starts[shard]! + i] = next++
  return turn
}

describe('shuffleShards', () => {
  test('is a permutation of the samples and the shards, by its arguments alone', () => {
    fc.assert(
      fc.property(...anyKeys, (sizes, buffer, seed, epoch) => {
        const { order, shards } = shuffleShards(sizes, buffer, seed, epoch)
        const total = sizes.reduce((a, b) => a + b, 0)
        expect([...order].sort((a, b) => a - b)).toEqual([...Array(total).keys()])
        expect([...shards].sort((a, b) => a - b)).toEqual([...sizes.keys()])
        expect(shuffleShards(sizes, buffer, seed, epoch).order).toEqual(order)
      }),
    )
  })
  test('no sample comes more than the buffer before its turn', () => {
    fc.assert(
      fc.property(...anyKeys, (sizes, buffer, seed, epoch) => {
        const { order, shards } = shuffleShards(sizes, buffer, seed, epoch)
        const turn = turns(sizes, shards)
        for (const [place, sample] of order.entries()) expect(turn[sample]! - place).toBeLessThan(buffer)
      }),
    )
  })
  test('a buffer of one keeps the order inside the shards', () => {
    const { order, shards } = shuffleShards([3, 0, 2, 4], 1, 7, 2)
    const turn = turns([3, 0, 2, 4], shards)
    expect([...order].map((sample) => turn[sample])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  })
  test('epochs and seeds differ', () => {
    const of = (seed: number, epoch: number) => shuffleShards([50, 50], 20, seed, epoch).order.join()
    expect(new Set([of(1, 0), of(1, 1), of(2, 0), of(2, 1)]).size).toBe(4)
  })
  test('every sample of the buffer is equally likely to come first, and every shard (chi-square)', () => {
    const [draws, buffer, shardCount] = [8000, 16, 5]
    const firsts = new Array<number>(buffer).fill(0)
    const firstShards = new Array<number>(shardCount).fill(0)
    for (let epoch = 0; epoch < draws; epoch++) {
      const { order, shards } = shuffleShards([100, 100, 100, 100, 100], buffer, 3, epoch)
      firsts[order[0]! % 100]!++
      firstShards[shards[0]!]!++
    }
    const chiSquare = (counts: number[]) => {
      const expected = draws / counts.length
      return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    }
    // 99.9th percentiles of chi-square with 15 and 4 degrees of freedom.
    expect(chiSquare(firsts)).toBeLessThan(37.7)
    expect(chiSquare(firstShards)).toBeLessThan(18.47)
  })
  test('a buffer of all samples is a full shuffle: each place is equally likely (chi-square)', () => {
    const counts = new Array<number>(36).fill(0)
    for (let epoch = 0; epoch < 6000; epoch++) {
      for (const [place, sample] of shuffleShards([2, 4], 100, 1, epoch).order.entries())
        counts[place * 6 + sample]!++
    }
    const statistic = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)
    expect(statistic).toBeLessThan(52.6) // 99.9th percentile, 25 degrees of freedom
  })
})

describe('planReading', () => {
  test('holds at most the buffer, for an epoch, its rest, and the share of a rank', () => {
    fc.assert(
      fc.property(
        ...anyKeys,
        fc.nat(200),
        fc.integer({ min: 1, max: 4 }),
        (sizes, buffer, seed, epoch, from, ranks) => {
          const { order, shards } = shuffleShards(sizes, buffer, seed, epoch)
          const all = sizes.flatMap((size, shard) =>
            Array.from({ length: size }, (_, offset) => ({ shard, offset })),
          )
          const inTurn = Uint32Array.from(sizes.keys())
          const others = [1, 2, 3].map((e) => shuffleShards(sizes, buffer, seed, epoch + e).shards)
          const part = Array.from(order, (sample) => all[sample]!)
            .slice(from)
            .filter((_, i) => i % ranks === 0)
          const { places, held } = planReading(part, [inTurn, ...others, shards])
          expect(held).toBeLessThanOrEqual(buffer)
          expect([...places].sort((a, b) => a - b)).toEqual([...part.keys()])
          const perShard = new Map<number, number>()
          for (const place of places) {
            const { shard, offset } = part[place]!
            expect(offset).toBeGreaterThan(perShard.get(shard) ?? -1)
            perShard.set(shard, offset)
          }
        },
      ),
    )
  })
  test('what is in turn is read in turn, one at a time', () => {
    const wanted = [0, 0, 1, 2].map((shard, offset) => ({ shard, offset }))
    const { places, held } = planReading(wanted, [Uint32Array.of(2, 0, 1), Uint32Array.of(0, 1, 2)])
    expect([[...places], held]).toEqual([[0, 1, 2, 3], 1])
  })
})
