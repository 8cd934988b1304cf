import { liveTensors } from 'trex-torch'
import { expect, test } from 'vitest'
import { rngFor } from '../rng.js'
import { nearest } from './nearest.js'

const rng = rngFor(3)
const random = (rows: number, dim = 5) => ({
  features: Float32Array.from({ length: rows * dim }, () => rng.normal() * 10),
  dim,
  labels: new Int32Array(rows),
})

test('finds the rows with the highest cosines', () => {
  const [queries, gallery] = [random(4), random(30)]
  const before = liveTensors()
  const { indices, similarities } = nearest(queries, gallery, 3)
  expect(liveTensors()).toBe(before)
  const row = ({ features, dim }: typeof queries, i: number) => [...features.subarray(i * dim, (i + 1) * dim)]
  const cosine = (a: number[], b: number[]) =>
    a.reduce((sum, value, i) => sum + value * b[i]!, 0) / (Math.hypot(...a) * Math.hypot(...b))
  for (let q = 0; q < 4; q++) {
    const cosines = Array.from({ length: 30 }, (_, i) => cosine(row(queries, q), row(gallery, i)))
    const best = [...cosines.keys()].sort((i, j) => cosines[j]! - cosines[i]!).slice(0, 3)
    expect([...indices.subarray(3 * q, 3 * q + 3)]).toEqual(best)
    for (const [rank, i] of best.entries()) expect(similarities[3 * q + rank]).toBeCloseTo(cosines[i]!, 6)
  }
})

test('of rows that are all equally near the earliest are taken', () => {
  const same = (rows: number) => ({
    features: new Float32Array(rows * 5).fill(0.3),
    dim: 5,
    labels: new Int32Array(rows),
  })
  const before = liveTensors()
  const { indices } = nearest(same(40), same(500), 3)
  expect(liveTensors()).toBe(before)
  expect([...indices]).toEqual(Array.from({ length: 120 }, (_, i) => i % 3))
})

test('refuses other widths and more neighbours than there are rows', () => {
  expect(() => nearest(random(2), random(3, 4), 1)).toThrow('queries have 5 features, the gallery has 4')
  for (const k of [0, 4, 1.5]) expect(() => nearest(random(2), random(3), k)).toThrow(`k is ${k}`)
})
