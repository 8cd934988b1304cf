import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  addConfusions,
  classScores,
  confusedPairs,
  emptyConfusion,
  meanPerClass,
} from '../evaluate/confusion.js'
import { writeEvaluation } from './evalFiles.js'
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

test('of 21,841 classes the pairs that have images are written', () => {
  const size = 21_841
  const confusion = emptyConfusion(Array.from({ length: size }, (_, i) => `n${i}`))
  addConfusions(confusion, [7, 7, 21_840], [7, 9, 0])
  const perClass = classScores(confusion)
  const { evaluation, ...rest } = record()
  const task = { ...evaluation.task!, perClass, confused: confusedPairs(confusion, 20), confusion }
  const large = { ...rest, evaluation: { ...evaluation, task } }
  expect(evaluationText(large, true)).toContain('n21840 ')
  const out = mkdtempSync(join(tmpdir(), 'trex-eval-text-'))
  writeEvaluation(out, large)
  const written = JSON.parse(readFileSync(join(out, 'eval.json'), 'utf8'))
  expect(written.confusion.classes).toHaveLength(size)
  expect(written.confusion.pairs).toEqual([
    [7, 7, 1],
    [7, 9, 1],
    [21_840, 0, 1],
  ])
  expect(readFileSync(join(out, 'confusion.csv'), 'utf8')).toBe(
    'class,prediction,images\r\nn7,n7,1\r\nn7,n9,1\r\nn21840,n0,1\r\n',
  )
  expect(readFileSync(join(out, 'confusion.html'), 'utf8')).toContain('n7 taken for n9: 1 of 2 (50.0 %)')
  expect(statSync(join(out, 'eval.json')).size).toBeLessThan(4 << 20)
  rmSync(out, { recursive: true })
})
