import { describe, expect, test } from 'vitest'
import { philox4x32, rngFor } from './rng.js'

/** Random123's published known answers for philox4x32-10: counter, key, output. */
const KNOWN_ANSWERS = [
  ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
] as const

const words = (text: string) => text.split(' ').map((word) => Number.parseInt(word, 16))

describe('philox4x32', () => {
  test.each(KNOWN_ANSWERS)('counter %s, key %s', (counter, key, expected) => {
    const out = philox4x32(words(counter), words(key) as [number, number], new Uint32Array(4))
    expect([...out]).toEqual(words(expected))
  })
})

describe('rngFor', () => {
  const first = (...keys: number[]) => rngFor(...keys).bits()

  test('equal keys give equal streams, different keys (or numbers of keys) different ones', () => {
    const a = rngFor(22, 1, 2, 3)
    const b = rngFor(22, 1, 2, 3)
    for (let i = 0; i < 50; i++) expect(a.bits()).toBe(b.bits())
    const keys = [
      [22],
      [22, 0],
      [22, 0, 0],
      [22, 0, 0, 0],
      [22 + 2 ** 32],
      [22, 1],
      [22, 0, 1],
      [22, 0, 0, 1],
    ]
    expect(new Set(keys.map((k) => first(...k))).size).toBe(keys.length)
  })

  test('refuses keys it cannot tell apart', () => {
    for (const keys of [[], [1, 2, 3, 4, 5], [-1], [0.5], [2 ** 53], [0, 2 ** 32], [Number.NaN]]) {
      expect(() => rngFor(...keys)).toThrow(RangeError)
    }
  })

  test('uniform and normal have the right moments', () => {
    const n = 20_000
    const rng = rngFor(1, 2)
    const u = Array.from({ length: n }, () => rng.uniform())
    const z = Array.from({ length: n }, () => rng.normal())
    const mean = (x: number[]) => x.reduce((s, v) => s + v, 0) / n
    expect(Math.min(...u)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...u)).toBeLessThan(1)
    expect(Math.abs(mean(u) - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / n))
    expect(Math.abs(mean(z))).toBeLessThan(5 / Math.sqrt(n))
    expect(Math.abs(mean(z.map((v) => v * v)) - 1)).toBeLessThan(5 * Math.sqrt(2 / n))
    expect(Math.abs(mean(z.map((v) => v ** 4)) - 3)).toBeLessThan(5 * Math.sqrt(96 / n))
  })

  test('int is unbiased where 2^32 is not a multiple of n', () => {
    const n = 3 * 2 ** 30 // a remainder alone would hit the lowest third twice as often
    const rng = rngFor(3)
    let low = 0
    for (let i = 0; i < 9000; i++) if (rng.int(n) < 2 ** 30) low++
    expect(Math.abs(low - 3000)).toBeLessThan(5 * Math.sqrt((9000 * 2) / 9))
    expect(rng.int(1)).toBe(0)
    expect(() => rng.int(0)).toThrow(RangeError)
  })

  test('permutation holds every number once; all orders of 3 are equally frequent', () => {
    expect([...rngFor(4).permutation(1000)].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 1000 }, (_, i) => i),
    )
    expect(rngFor(4).permutation(0)).toHaveLength(0)
    const counts = new Map<string, number>()
    for (let i = 0; i < 6000; i++) {
      const key = rngFor(5, i).shuffle(['a', 'b', 'c']).join('')
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    expect(counts.size).toBe(6)
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(1000))
  })
})
