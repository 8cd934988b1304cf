import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rngFor } from '../rng.js'
import { nearestClassMeans } from './classMeans.js'
import type { FeatureSet } from './featureSet.js'
import { knn } from './knn.js'
import { nearest } from './nearest.js'

const set = (rows: number[][], labels: number[]): FeatureSet => ({
  features: Float32Array.from(rows.flat()),
  dim: rows[0]!.length,
  labels: Int32Array.from(labels),
})
const rowsOf = ({ features, dim }: FeatureSet) =>
  Array.from({ length: features.length / dim }, (_, i) => [...features.subarray(i * dim, (i + 1) * dim)])
/** Unit rows as float32 holds them: the data that every implementation is given. */
const units = (set: FeatureSet) =>
  rowsOf(set).map((row) => {
    const length = Math.max(Math.sqrt(row.reduce((sum, x) => sum + x * x, 0)), 1e-12)
    return row.map((x) => Math.fround(x / length))
  })
const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0)

/** All pairs, a full stable sort, and a count of votes. */
function plainKnn(queries: FeatureSet, gallery: FeatureSet, k: number): number[] {
  const rows = units(gallery)
  return units(queries).map((query) => {
    const cosines = rows.map((row) => dot(query, row))
    const order = [...cosines.keys()].sort((i, j) => cosines[j]! - cosines[i]!).slice(0, k)
    const labels = order.map((i) => gallery.labels[i]!)
    const count = (label: number) => labels.filter((other) => other === label).length
    const most = Math.max(...labels.map(count))
    return labels.find((label) => count(label) === most)!
  })
}

function plainMeans(queries: FeatureSet, gallery: FeatureSet): number[] {
  const rows = units(gallery)
  const classes = [...new Set(gallery.labels)].sort((a, b) => a - b)
  const means = classes.map((label) => {
    const own = rows.filter((_, i) => gallery.labels[i] === label)
    return own[0]!.map((_, d) => own.reduce((sum, row) => sum + row[d]!, 0) / own.length)
  })
  const unitMeans = units(set(means, classes))
  return units(queries).map((query) => {
    const cosines = unitMeans.map((mean) => dot(query, mean))
    return classes[cosines.indexOf(Math.max(...cosines))]!
  })
}

const rng = rngFor(11)
const random = (n: number, classes: number, dim: number) =>
  set(
    Array.from({ length: n }, () => Array.from({ length: dim }, () => rng.normal())),
    Array.from({ length: n }, (_, i) => i % classes),
  )

test('equal a plain implementation, to the last neighbour', () => {
  const [queries, gallery] = [random(60, 7, 48), random(300, 7, 48)]
  for (const { k, voters, predictions } of knn(queries, gallery, [1, 5, 20])) {
    expect(voters).toBe(k)
    expect([...predictions]).toEqual(plainKnn(queries, gallery, k))
  }
  expect([...nearestClassMeans(queries, gallery)]).toEqual(plainMeans(queries, gallery))
})

test('small cases by hand', () => {
  const gallery = set(
    [
      [1, 0],
      [0.9, 0.1],
      [0, 1],
      [0.1, 0.9],
      [0, 5],
    ],
    [4, 4, 2, 2, 9],
  )
  const queries = set(
    [
      [3, 0.1],
      [0.1, 0.2],
      [0, 2],
    ],
    [4, 2, 9],
  )
  const [one, two, five] = knn(queries, gallery, [1, 2, 5])
  expect([...one!.predictions]).toEqual([4, 2, 2]) // rows 2 and 4 are equally near to (0, 2): the earlier
  expect([...two!.predictions]).toEqual([4, 2, 2])
  expect([...five!.predictions]).toEqual([4, 2, 2])
  expect([...nearestClassMeans(queries, gallery)]).toEqual([4, 2, 9])
})

test('a k above the gallery is that of the gallery, and is told', () => {
  const [queries, gallery] = [random(4, 2, 3), random(3, 2, 3)]
  const [, large] = knn(queries, gallery, [1, 20])
  expect(large).toMatchObject({ k: 20, voters: 3 })
  expect([...large!.predictions]).toEqual(plainKnn(queries, gallery, 3))
})

test('what cannot be compared is an error', () => {
  const good = random(3, 2, 4)
  const bad = set([[1, Number.NaN, 0, 0]], [0])
  for (const classify of [(a: FeatureSet, b: FeatureSet) => knn(a, b, [1]), nearestClassMeans]) {
    expect(() => classify(random(2, 2, 3), good)).toThrow('queries have 3 features, the gallery has 4')
    expect(() => classify(bad, good)).toThrow('feature 1 of row 0 is NaN')
    expect(() => classify(good, bad)).toThrow('feature 1 of row 0 is NaN')
    expect(() =>
      classify({ ...good, features: new Float32Array(0), labels: new Int32Array(0) }, good),
    ).toThrow('the feature set is empty')
  }
  for (const k of [0, 1.5, Number.NaN]) expect(() => knn(good, good, [k])).toThrow(`k is ${k}`)
})

test('more equal rows than are looked at one by one', () => {
  const gallery = set(
    Array.from({ length: 3000 }, () => [1, 2, 3]),
    Array.from({ length: 3000 }, () => 6),
  )
  expect([...knn(set([[3, 2, 1]], [6]), gallery, [1, 20])[1]!.predictions]).toEqual([6])
})

describe('with duplicates and ties', () => {
  // Few small whole numbers: the same rows and the same cosines come up all the time.
  const row = fc.array(fc.integer({ min: -1, max: 1 }), { minLength: 3, maxLength: 3 })
  const sets = (most: number) =>
    fc.array(fc.tuple(row, fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: most }).map((items) =>
      set(
        items.map(([values]) => values),
        items.map(([, label]) => label),
      ),
    )

  test('the answer is the plain one, whatever the blocks are', () => {
    fc.assert(
      fc.property(sets(6), sets(60), fc.integer({ min: 1, max: 70 }), (queries, gallery, k) => {
        expect([...knn(queries, gallery, [k])[0]!.predictions]).toEqual(plainKnn(queries, gallery, k))
        expect([...nearestClassMeans(queries, gallery)]).toEqual(plainMeans(queries, gallery))
        const depth = Math.min(k, gallery.labels.length)
        const whole = nearest(queries, gallery, depth)
        expect(nearest(queries, gallery, depth, { block: 1 })).toEqual(whole)
        expect(nearest(queries, gallery, depth, { block: 2 * gallery.labels.length })).toEqual(whole)
      }),
      { numRuns: 200, seed: 5 },
    )
  })

  test('a query that is in the gallery has its own class at k = 1 if no other class has the same row', () => {
    fc.assert(
      fc.property(sets(40), (gallery) => {
        const rows = units(gallery).map(String)
        const { predictions } = knn(gallery, gallery, [1])[0]!
        for (const [i, label] of gallery.labels.entries()) {
          const same = gallery.labels.filter((_, j) => rows[j] === rows[i])
          if (new Set(same).size === 1 && /[1-9]/.test(rows[i]!)) expect(predictions[i]).toBe(label)
        }
      }),
      { numRuns: 100, seed: 5 },
    )
  })
})
