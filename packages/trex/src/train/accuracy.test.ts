import { fromTypedArray, tensor } from 'trex-torch'
import { expect, test } from 'vitest'
import { countTopK } from './accuracy.js'

test('counts the rows whose label is among the k highest logits', () => {
  const logits = tensor([
    [9, 5, 7], // ranks 0 2 1
    [1, 2, 3], // ranks 2 1 0
    [-3, -1, -2], // ranks 1 2 0
    [0, 4, 1], // ranks 1 2 0
  ])
  const labels = fromTypedArray(BigInt64Array.of(0n, 1n, 0n, 2n), [4])
  const counts = countTopK(logits, labels, [1, 2, 3, 5])
  expect(counts.map((count) => count.item())).toEqual([1, 3, 4, 4])
  expect(counts.map((count) => [count.dtype, count.dim])).toEqual(Array(4).fill(['int64', 0]))
})
