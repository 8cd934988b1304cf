import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from 'trex-torch/safetensors'
import { TrexError } from '../errors.js'
import type { TaskScores } from '../evaluate/evaluate.js'
import { evaluationPage } from '../report/evaluationPage.js'
import { aboutOf, type EvaluationRecord, recordJson, scoreRows } from './evalText.js'

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
    throw new TrexError(`${dir} cannot be written: ${(cause as Error).message}`, {
      hint: 'choose another folder for --out',
      cause,
    })
  }
  console.error(`wrote ${files.map(([name]) => join(dir, name)).join(', ')}`)
}

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

function confusionCsv({ confusion: { classes, counts } }: TaskScores): string {
  const rows = classes.map((name, row) => [
    name,
    ...counts.subarray(row * classes.length, (row + 1) * classes.length),
  ])
  return csv([['class', ...classes], ...rows])
}

/** Rows as RFC 4180 writes them. */
function csv(rows: readonly (readonly (string | number)[])[]): string {
  const cell = (value: string | number) => {
    const text = String(value)
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('')
}
