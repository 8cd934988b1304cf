import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addConfusions,
  classScores,
  confusedPairs,
  confusionCells,
  emptyConfusion,
  matrixRows,
  meanPerClass,
  sumConfusions,
} from './confusion.js'

test('a small case by hand', () => {
  const confusion = emptyConfusion(['cat', 'dog', 'fox', 'owl'])
  addConfusions(confusion, [0, 0, 0, 1, 1, 2], [0, 1, 1, 1, 2, 0])
  addConfusions(confusion, [0], [0])
  expect([...matrixRows(confusion)]).toEqual([
    [2, 2, 0, 0],
    [0, 1, 1, 0],
    [1, 0, 0, 0],
    [0, 0, 0, 0],
  ])
  const scores = classScores(confusion)
  expect(scores).toEqual([
    { name: 'cat', images: 4, correct: 2, wrongly: 1, accuracy: 50 },
    { name: 'dog', images: 2, correct: 1, wrongly: 2, accuracy: 50 },
    { name: 'fox', images: 1, correct: 0, wrongly: 1, accuracy: 0 },
    { name: 'owl', images: 0, correct: 0, wrongly: 0, accuracy: null },
  ])
  expect(meanPerClass(scores)).toBeCloseTo(100 / 3, 12)
  expect(confusedPairs(confusion, 2)).toEqual([
    { label: 'cat', prediction: 'dog', images: 2, share: 50 },
    { label: 'dog', prediction: 'fox', images: 1, share: 50 },
  ])
})

test('what does not fit together is an error', () => {
  const confusion = emptyConfusion(['cat', 'dog'])
  expect(() => addConfusions(confusion, [0, 1], [0])).toThrow('cannot compare 1 predictions with 2 labels')
  for (const [label, prediction] of [
    [2, 0],
    [0, -1],
  ] as const)
    expect(() => addConfusions(confusion, [label], [prediction])).toThrow('there is no class')
  expect(() => meanPerClass(classScores(confusion))).toThrow('no class has images')
})

test('sums are those of the images, of labels and of predictions', () => {
  const pairs = fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(pairs, (images) => {
      const confusion = emptyConfusion(['a', 'b', 'c', 'd', 'e', 'f'])
      const labels = images.map(([label]) => label)
      const predictions = images.map(([, prediction]) => prediction)
      addConfusions(confusion, labels, predictions)
      const sum = (values: number[]) => values.reduce((a, b) => a + b, 0)
      expect(sum([...confusion.counts.values()])).toBe(images.length)
      const twice = [...matrixRows(sumConfusions([confusion, confusion]))].flat()
      expect(twice).toEqual([...matrixRows(confusion)].flat().map((count) => 2 * count))
      const scores = classScores(confusion)
      const of = (values: number[], i: number) => values.filter((value) => value === i).length
      for (const [i, { images, correct, wrongly }] of scores.entries()) {
        expect(images).toBe(of(labels, i))
        expect(correct + wrongly).toBe(of(predictions, i))
      }
      const wrong = sum(confusedPairs(confusion, 36).map((pair) => pair.images))
      expect(wrong).toBe(images.filter(([label, prediction]) => label !== prediction).length)
    }),
  )
})

test('21,841 classes take no more than their images', () => {
  const size = 21_841
  const confusion = emptyConfusion(Array.from({ length: size }, (_, i) => `n${i}`))
  const labels = Array.from({ length: 100_000 }, (_, i) => i % size)
  const predictions = labels.map((label, i) => (i % 3 ? label : (label * 7 + 1) % size))
  const before = process.memoryUsage.rss()
  addConfusions(confusion, labels, predictions)
  const scores = classScores(confusion)
  const cells = confusionCells(confusion)
  expect(scores).toHaveLength(size)
  expect(cells.reduce((sum, { images }) => sum + images, 0)).toBe(100_000)
  expect(confusedPairs(confusion, 20)).toHaveLength(20)
  const right = cells.filter(({ label, prediction }) => label === prediction)
  expect(right.reduce((sum, { images }) => sum + images, 0)).toBe(
    labels.filter((label, i) => label === predictions[i]).length,
  )
  expect(process.memoryUsage.rss() - before).toBeLessThan(200 << 20) // all counts would be 1.9 GB
})
