import { expect, test } from 'vitest'
import {
  addConfusions,
  classScores,
  confusedPairs,
  emptyConfusion,
  meanPerClass,
} from '../evaluate/confusion.js'
import { type EvaluationRecord, evaluationText, recordJson } from './evalText.js'

/** 24 classes of 100 images; of class i, 4 * i are recognised and the others are taken for the next one. */
function record(): EvaluationRecord {
  const classes = Array.from({ length: 24 }, (_, i) => (i === 3 ? 'with "MATRIX"\u001b' : `kind ${i}`))
  const confusion = emptyConfusion(classes)
  for (let i = 0; i < 24; i++)
    for (let n = 0; n < 100; n++) addConfusions(confusion, [i], [n < 4 * i ? i : (i + 1) % 24])
  const perClass = classScores(confusion)
  const task = {
    ...{ images: 2400, top1: 46, top5: 90, loss: 1.25, meanPerClass: meanPerClass(perClass) },
    ...{ perClass, confused: confusedPairs(confusion, 20), confusion },
  }
  return {
    ...{ evaluated: 'run', weights: 'run/best', epoch: 3, encoder: 'resnet18', data: 'photos', leftOut: [] },
    evaluation: { split: 'val', task, features: null, notes: ['one'] },
  }
}

test('of many classes the worst and the best are listed, all on request', () => {
  const text = evaluationText(record(), false)
  const listed = (all: string) =>
    [...all.matchAll(/^ {2}\S.* (\d+) of 100$/gm)].map(([, right]) => Number(right))
  const by4 = (from: number, to: number, step = 4) =>
    Array.from({ length: Math.abs((to - from) / step) + 1 }, (_, i) => from + step * i)
  expect(listed(text)).toEqual([...by4(0, 36), ...by4(92, 76, -4)])
  expect(listed(evaluationText(record(), true))).toEqual(by4(0, 92))
  expect(text).toContain('top-1           46.00 %\n')
  expect(text).toContain('the 10 worst of 24 classes (class, accuracy, right)\n  kind 0')
  expect(text).toMatch(/share of the class\)\n {2}kind 0 +kind 1 +100 +100\.0 %\n/)
  expect(text).toMatch(/\n\nnote: one$/)
  expect(text).not.toContain('\u001b')
})

test('the JSON holds the matrix, whatever the classes are called', () => {
  const { confusion, task } = JSON.parse(recordJson(record()))
  expect(confusion.classes[3]).toBe('with "MATRIX"\u001b')
  expect(confusion.matrix.map((row: number[], i: number) => [row[i], row[(i + 1) % 24]])).toEqual(
    Array.from({ length: 24 }, (_, i) => [4 * i, 100 - 4 * i]),
  )
  expect(task.confusion).toBe(undefined)
  expect(task.top1).toBe(46)
})
