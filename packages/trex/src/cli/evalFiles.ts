import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from 'trex-torch/safetensors'
import { TrexError } from '../errors.js'
import { confusionCells, matrixRows } from '../evaluate/confusion.js'
import type { TaskScores } from '../evaluate/evaluate.js'
import { evaluationPage } from '../report/evaluationPage.js'
import { aboutOf, type EvaluationRecord, MOST_IN_MATRIX, recordJson, scoreRows } from './evalText.js'

/** Makes the folder, and for a moment one in it. @throws TrexError when that is not possible. */
export function checkWritable(dir: string, flag = '--out'): void {
  try {
    mkdirSync(dir, { recursive: true })
    rmdirSync(mkdtempSync(join(dir, '.writable-')))
  } catch (cause) {
    throw cannotWrite(dir, cause, flag)
  }
}

/**
 * Writes eval.json, and where classes were predicted per-class.csv, confusion.csv and confusion.html, into a folder.
 * @throws TrexError when the folder cannot be made or written.
 */
export function writeEvaluation(dir: string, record: EvaluationRecord): void {
  const { task } = record.evaluation
  const files: [name: string, text: string][] = [
    ['eval.json', `${recordJson(record)}\n`],
    ...(task
      ? ([
          ['per-class.csv', perClassCsv(task)],
          ['confusion.csv', confusionCsv(task)],
          ['confusion.html', pageOf(record, task)],
        ] as [string, string][])
      : []),
  ]
  try {
    mkdirSync(dir, { recursive: true })
    for (const [name, text] of files) writeFileAtomic(join(dir, name), [new TextEncoder().encode(text)])
  } catch (cause) {
    throw cannotWrite(dir, cause)
  }
  console.error(`wrote ${files.map(([name]) => join(dir, name)).join(', ')}`)
}

const cannotWrite = (dir: string, cause: unknown, flag = '--out') =>
  new TrexError(`${dir} cannot be written: ${(cause as Error).message}`, {
    hint: `choose another folder for ${flag}`,
    cause,
  })

function pageOf(record: EvaluationRecord, { confusion, perClass, confused }: TaskScores): string {
  return evaluationPage({
    title: `Evaluation of ${record.evaluated}`,
    subtitle: aboutOf(record).join(' · '),
    scores: scoreRows(record),
    notes: record.evaluation.notes,
    ...{ confusion, perClass, confused },
  })
}

function perClassCsv({ perClass }: TaskScores): string {
  const rows = perClass.map(({ name, images, correct, wrongly, accuracy }) => [
    name,
    images,
    correct,
    wrongly,
    accuracy ?? '',
  ])
  return csv([['class', 'images', 'correct', 'wrongly', 'accuracy'], ...rows])
}

/** The matrix, or of very many classes a row for each pair of them that has images. */
function confusionCsv({ confusion }: TaskScores): string {
  const { classes } = confusion
  if (classes.length <= MOST_IN_MATRIX)
    return csv([
      ['class', ...classes],
      ...Array.from(matrixRows(confusion), (row, label) => [classes[label]!, ...row]),
    ])
  const pairs = confusionCells(confusion).map(({ label, prediction, images }) => [
    ...[classes[label]!, classes[prediction]!],
    images,
  ])
  return csv([['class', 'prediction', 'images'], ...pairs])
}

/** Rows as RFC 4180 writes them. */
function csv(rows: readonly (readonly (string | number)[])[]): string {
  const cell = (value: string | number) => {
    const text = String(value)
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('')
}
