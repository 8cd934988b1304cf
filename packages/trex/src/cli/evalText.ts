import { printable } from '../data/check/printable.js'
import { type ClassScore, type ConfusedPair, confusionCells, matrixRows } from '../evaluate/confusion.js'
import type { Evaluation } from '../evaluate/evaluate.js'

/** An evaluation and what it was made of. */
export interface EvaluationRecord {
  /** Run or file, as given. */
  readonly evaluated: string
  /** Path of the weights. */
  readonly weights: string
  /** Epochs that a run's weights were trained for. */
  readonly epoch: number | null
  readonly encoder: string
  readonly data: string
  readonly evaluation: Evaluation
  readonly leftOut: readonly { readonly path: string; readonly reason: string }[]
}

const SPLIT_NAMES = { val: 'validation', train: 'training', all: 'training and validation' } as const
const PAIRS_SHOWN = 10
const [WORST, BEST] = [10, 5]
const MOST_LISTED = 20

/** Names and figures of the table, in its order. */
export function scoreRows({
  evaluation: { task, features },
}: EvaluationRecord): [name: string, value: string][] {
  const percent = (value: number) => `${value.toFixed(2)} %`
  return [
    ...(task
      ? ([
          ['top-1', percent(task.top1)],
          ['top-5', percent(task.top5)],
          ['loss', task.loss.toFixed(4)],
          ['mean per class', percent(task.meanPerClass)],
        ] as [string, string][])
      : []),
    ...(features
      ? ([
          ['nearest class mean', percent(features.classMeans.top1)],
          ...features.knn.map(({ k, top1 }) => [`k-NN, k = ${k}`, percent(top1)]),
        ] as [string, string][])
      : []),
  ]
}

/** What was evaluated on which images, in a sentence or two. */
export function aboutOf({ weights, epoch, encoder, evaluation }: EvaluationRecord): string[] {
  const { split, task, features } = evaluation
  return [
    `${weights} (${encoder}${epoch === null ? '' : `, ${epoch} epoch${epoch === 1 ? '' : 's'}`})`,
    ...(task
      ? [`${task.images} ${SPLIT_NAMES[split]} images of ${present(task.perClass).length} classes`]
      : []),
    ...(features
      ? [`class means and neighbours: ${features.gallery} training to ${features.queries} validation images`]
      : []),
  ]
}

/** The evaluation for a terminal; of more than 20 classes the worst and the best, unless all are asked for. */
export function evaluationText(record: EvaluationRecord, allClasses: boolean): string {
  const { task, notes } = record.evaluation
  const blocks = [
    aboutOf(record).map(printable),
    columns(scoreRows(record)),
    ...(task ? classBlocks(task.perClass, allClasses) : []),
    ...(task?.confused.length ? [pairsBlock(task.confused.slice(0, PAIRS_SHOWN))] : []),
    notes.map((note) => `note: ${note}`),
  ]
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

function pairsBlock(pairs: readonly ConfusedPair[]): string[] {
  const rows = pairs.map(({ label, prediction, images, share }) => [
    `  ${printable(label)}`,
    printable(prediction),
    String(images),
    `${share.toFixed(1)} %`,
  ])
  return ['confused most often (class, taken for, images, share of the class)', ...columns(rows, 2)]
}

const present = (scores: readonly ClassScore[]) => scores.filter(({ accuracy }) => accuracy !== null)

function classBlocks(scores: readonly ClassScore[], all: boolean): string[][] {
  const ordered = present(scores).toSorted((a, b) => a.accuracy! - b.accuracy!)
  const block = (heading: string, chosen: readonly ClassScore[]) => {
    const rows = chosen.map(({ name, accuracy, correct, images }) => [
      `  ${printable(name)}`,
      `${accuracy!.toFixed(1)} %`,
      `${correct} of ${images}`,
    ])
    return [`${heading} (class, accuracy, right)`, ...columns(rows)]
  }
  if (all) return [block('all classes', present(scores))]
  if (ordered.length <= MOST_LISTED) return [block('classes', ordered)]
  return [
    block(`the ${WORST} worst of ${ordered.length} classes`, ordered.slice(0, WORST)),
    block(`the ${BEST} best`, ordered.slice(-BEST).reverse()),
  ]
}

/** Rows of cells below each other; all but the first `left` columns end at the right. */
function columns(rows: readonly (readonly string[])[], left = 1): string[] {
  const widths = (rows[0] ?? []).map((_, i) => rows.reduce((most, row) => Math.max(most, row[i]!.length), 0))
  return rows.map((row) =>
    row
      .map((cell, i) => (i < left ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  )
}

/** Up to so many classes confusions are written as a matrix; of more those that there are, as pairs. */
export const MOST_IN_MATRIX = 2000

/**
 * Everything as JSON; `confusion` comes last, a row of its matrix (the images of one class) on a line, or of very many
 * classes a pair of them with its images.
 */
export function recordJson({ evaluation, ...record }: EvaluationRecord): string {
  const { task, ...others } = evaluation
  if (!task) return JSON.stringify({ ...record, ...others, task }, null, 2)
  const { confusion, ...scores } = task
  const { classes } = confusion
  const text = JSON.stringify({ ...record, ...others, task: scores }, null, 2)
  const [form, rows] =
    classes.length <= MOST_IN_MATRIX
      ? ['matrix', [...matrixRows(confusion)]]
      : ['pairs', confusionCells(confusion).map((cell) => [cell.label, cell.prediction, cell.images])]
  const lines = rows.map((row) => `      ${JSON.stringify(row)}`).join(',\n')
  const all = `"classes": ${JSON.stringify(classes)},\n    "${form}": [\n${lines}\n    ]`
  return `${text.slice(0, -2)},\n  "confusion": {\n    ${all}\n  }\n}`
}
