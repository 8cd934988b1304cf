import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { TrexError } from '../../errors.js'
import { type CsvRow, type Issue, readCsvRows, shownIssues } from './csvRows.js'
import { splitTrainVal } from './imageFolder.js'
import type { ImageDataset, Sample } from './sample.js'

const AT_ONCE = 64
const HINT =
  'expected a header and lines as in: path,label,split / cats/1.jpg,cat,train (split may be left out: train, val or test)'

/**
 * Reads a data set from a table (`.csv`, or `.tsv` with tabs): a header with `path` and `label` and perhaps `split` in
 * any order; other columns do not matter. Paths are absolute or relative to the table's folder. Labels are names, sorted
 * by code unit, or as numbers if all are whole numbers. `split` is train, val (validation) or test, which is left out
 * and counted; where no line says val, `valFraction` of each class is held out by `seed`. Samples are in the order of the
 * lines; a file that is missing becomes a sample with a `problem`. Throws TrexError that names file, line and column of
 * all that is wrong (the first 20).
 */
export async function readCsvDataset(
  file: string,
  { valFraction = 0.1, seed = 0 }: { valFraction?: number; seed?: number } = {},
): Promise<ImageDataset> {
  const { rows, issues } = await readCsvRows(file)
  const { used, ignored, clashes } = withoutRepeats(file, rows)
  issues.push(...clashes)
  const classes = classNames(used)
  if (issues.length === 0) issues.push(...setIssues(used, classes))
  if (issues.length > 0) throw new TrexError(shownIssues(file, issues), { hint: HINT })

  const labels = new Map(classes.map((name, label) => [name, label]))
  const samples = await sampleEach(used, labels)
  const train = samples.filter((_, i) => used[i]!.split !== 'val')
  const val = samples.filter((_, i) => used[i]!.split === 'val')
  return { classes, ignored, ...(val.length > 0 ? { train, val } : splitTrainVal(train, valFraction, seed)) }
}

type PlacedRow = CsvRow & { readonly file: string }

/** Rows with whole paths, without those of test and without lines that say again what one before has said. */
function withoutRepeats(table: string, rows: readonly CsvRow[]) {
  const known = new Map<string, CsvRow>()
  const used: PlacedRow[] = []
  const clashes: Issue[] = []
  let test = 0
  let repeated = 0
  for (const row of rows) {
    const { line, path, label, split } = row
    const file = resolve(dirname(table), path)
    const first = known.get(file)
    if (!first) {
      known.set(file, row)
      if (split === 'test') test++
      else used.push({ ...row, file })
    } else if (first.label !== label) {
      const message = `${path} is ${label} here and ${first.label} in line ${first.line}`
      clashes.push({ line, column: 'label', message })
    } else if (first.split !== split) {
      const message = `${path} is in ${split} here and in ${first.split} in line ${first.line}`
      clashes.push({ line, column: 'split', message })
    } else repeated++
  }
  const ignored = {
    ...(test > 0 ? { 'test split': test } : {}),
    ...(repeated > 0 ? { 'repeated line': repeated } : {}),
  }
  return { used, ignored, clashes }
}

function classNames(rows: readonly CsvRow[]): string[] {
  const names = [...new Set(rows.map(({ label }) => label))].sort()
  if (!names.every((name) => /^[+-]?\d+$/.test(name))) return names
  return names.sort((a, b) => Number(a) - Number(b)) // stable: 1 before 01, as sorted before
}

/** What is wrong with the set as a whole. */
function setIssues(rows: readonly CsvRow[], classes: readonly string[]): Issue[] {
  const trained = new Set(rows.filter(({ split }) => split !== 'val').map(({ label }) => label))
  if (trained.size === 0) return [{ message: 'no line is in train' }]
  const issues: Issue[] = []
  if (classes.length === 1) issues.push({ message: `a single class, ${classes[0]}: nothing to tell apart` })
  const seen = new Set(trained)
  for (const { line, label } of rows) {
    if (seen.has(label)) continue
    seen.add(label)
    issues.push({ line, column: 'label', message: `val has the class ${label}, which train does not have` })
  }
  return issues
}

/** The samples of rows; files are looked at, many at once, but not opened. */
async function sampleEach(
  rows: readonly PlacedRow[],
  labels: ReadonlyMap<string, number>,
): Promise<Sample[]> {
  const samples = new Array<Sample>(rows.length)
  let next = 0
  const look = async () => {
    while (next < rows.length) {
      const place = next++
      const { file, label } = rows[place]!
      const message = await problemOf(file)
      const problem = message === null ? {} : { problem: { message, hint: HINT_FILE } }
      samples[place] = { path: file, label: labels.get(label)!, ...problem }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, look))
  return samples
}

const HINT_FILE = 'correct its line (paths are relative to the folder of the table), or remove the line'

async function problemOf(file: string): Promise<string | null> {
  try {
    return (await stat(file)).isFile() ? null : `${file} is not a file`
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? `cannot read ${file}: there is no such file`
      : `cannot read ${file}: ${message}`
  }
}
