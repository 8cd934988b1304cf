import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rngFor } from '../rng.js'
import { type Metric, nearest } from './nearest.js'

/** All vectors in the order of their distance, equal ones by index: by definition, with no blocks and no heap. */
function naive(query: number[], vectors: number[][], metric: Metric): [index: number, score: number][] {
  const product = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
  const score = (vector: number[]) => {
    if (metric === 'euclidean') {
      const difference = vector.map((value, i) => value - query[i]!)
      return -Math.sqrt(product(difference, difference))
    }
    const lengths = Math.sqrt(product(query, query)) * Math.sqrt(product(vector, vector))
    return lengths > 0 ? product(query, vector) / lengths : 0
  }
  const scored = vectors.map((vector, index) => ({ index, score: score(vector) }))
  scored.sort((a, b) => (Math.abs(a.score - b.score) < 1e-12 ? a.index - b.index : b.score - a.score))
  return scored.map(({ index, score }) => [index, metric === 'euclidean' ? -score : score])
}

const matrix = (rows: number[][], width: number) => ({
  features: Float32Array.from(rows.flat()),
  shape: [rows.length, width] as const,
})

// Few values, so that many vectors are equally near.
const value = fc.integer({ min: -2, max: 2 })
const cases = fc.integer({ min: 1, max: 6 }).chain((width) => {
  const vector = fc.array(value, { minLength: width, maxLength: width })
  return fc.record({
    width: fc.constant(width),
    queries: fc.array(vector, { minLength: 1, maxLength: 4 }),
    vectors: fc.array(vector, { minLength: 1, maxLength: 40 }),
    k: fc.nat(39),
    metric: fc.constantFrom<Metric>('cosine', 'euclidean'),
  })
})

test('the nearest are those of a search by definition, equal ones by index', () => {
  fc.assert(
    fc.property(cases, ({ width, queries, vectors, k: most, metric }) => {
      const k = 1 + (most % vectors.length)
      const found = nearest(matrix(queries, width), matrix(vectors, width), k, { metric })
      expect(found.shape).toEqual([queries.length, k])
      for (const [row, query] of queries.entries()) {
        const wanted = naive(query, vectors, metric).slice(0, k)
        const scores = Array.from(found.scores.subarray(row * k, (row + 1) * k))
        expect(scores.map((score, i) => Math.abs(score - wanted[i]![1]))).toSatisfy((errors: number[]) =>
          errors.every((error) => error < 1e-6),
        )
        // Of cosines that are equal but for rounding either may come first.
        if (metric === 'euclidean')
          expect(Array.from(found.indices.subarray(row * k, (row + 1) * k))).toEqual(wanted.map(([i]) => i))
      }
    }),
    { numRuns: 500 },
  )
})

test('equal vectors come in their order, over the borders of blocks', () => {
  const width = 512 // 256 rows a block
  const rng = rngFor(4)
  const features = Float32Array.from({ length: 1000 * width }, () => rng.normal())
  const query = features.slice(5 * width, 6 * width)
  for (const copy of [250, 255, 256, 257, 700, 999]) features.set(query, copy * width)
  const all = { features, shape: [1000, width] } as const
  for (const metric of ['cosine', 'euclidean'] as const) {
    const { indices, scores } = nearest(query, all, 8, { metric })
    expect([...indices.subarray(0, 7)]).toEqual([5, 250, 255, 256, 257, 700, 999])
    expect([...scores.subarray(0, 7)]).toEqual(Array(7).fill(metric === 'cosine' ? Math.fround(1) : 0))
  }
})

test('a query alone finds what it finds among others', () => {
  const rng = rngFor(5)
  const rows = (n: number) => ({
    features: Float32Array.from({ length: n * 37 }, () => rng.normal()),
    shape: [n, 37] as const,
  })
  const [queries, features] = [rows(9), rows(333)]
  const together = nearest(queries, features, 7)
  for (let row = 0; row < 9; row++) {
    const alone = nearest(queries.features.subarray(row * 37, (row + 1) * 37), features, 7)
    expect(alone.indices).toEqual(together.indices.subarray(row * 7, (row + 1) * 7))
    expect(alone.scores).toEqual(together.scores.subarray(row * 7, (row + 1) * 7))
  }
})

describe('what cannot be searched is an error', () => {
  const two = matrix([[1, 0], [0, 1]], 2) // biome-ignore format: rows
  test.each([
    [matrix([[1]], 1), two, 1, 'the queries have 1 numbers each, the features have 2'],
    [matrix([[1, 2]], 2), two, 3, 'k is 3, and there are 2 vectors'],
    [matrix([[1, 2]], 2), two, 0.5, 'k is 0.5'],
    [matrix([[1, Number.NaN]], 2), two, 1, 'query 0 holds NaN'],
    [matrix([[1, 2]], 2), matrix([[0, 0], [Number.POSITIVE_INFINITY, 0]], 2), 1, 'vector 1 holds Infinity'], // biome-ignore format: rows
    [
      { features: new Float32Array(3), shape: [1, 2] as const },
      two,
      1,
      'the queries of [1,2] do not have 3 values',
    ],
  ])('%#', (queries, features, k, message) => {
    expect(() => nearest(queries, features, k)).toThrow(message)
  })
})
