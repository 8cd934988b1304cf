import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { printable } from '../data/check/printable.js'
import { type Comparison, compareResults, comparisonGrid } from '../suite/compare.js'
import { formatGrid, type GridFormat } from '../suite/grid.js'
import { readResults } from '../suite/results.js'
import { print } from './print.js'

/** The options of `trex compare` as commander gives them. */
export interface CompareFlags {
  format: GridFormat
  json?: boolean
}

/** Does what `trex compare` was asked. */
export async function runCompare(paths: readonly string[], { format, json }: CompareFlags): Promise<void> {
  const [first, ...others] = paths.map((path) => readResults(resultsPath(path)))
  const comparisons = others.map((other) => compareResults(first!, other))
  if (json) return print(JSON.stringify(comparisons, null, 2))
  await print(comparisons.map((comparison) => section(comparison, format)).join('\n\n'))
}

const resultsPath = (path: string) =>
  existsSync(path) && statSync(path).isDirectory() ? join(path, 'results.json') : path

function section(comparison: Comparison, format: GridFormat): string {
  const [better, equal, worse] = comparison.wins
  const [first, second] = comparison.models.map(printable)
  const says = `${second} against ${first}: better on ${better}, equal on ${equal}, worse on ${worse}`
  const { differing, unpaired } = comparison
  const lines = [
    says,
    '± of a difference: its deviation over the seeds; of the mean: its standard error over the sets.',
    ...(unpaired.length ? [`Not in both: ${unpaired.join(', ')}.`] : []),
    ...(differing.length
      ? [`Not a fair comparison: they were evaluated with other ${differing.join(', ')}.`]
      : []),
  ]
  const below = lines.map((line) => (format === 'latex' ? `% ${line}` : line)).join('\n')
  return `${formatGrid(comparisonGrid(comparison), format)}\n${format === 'latex' ? '' : '\n'}${below}`
}
