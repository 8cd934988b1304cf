import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { CsvError, type Info, parse } from 'csv-parse'
import { TrexError } from '../../errors.js'

/** A line of a table of images. */
export interface CsvRow {
  /** From 1, the header's; the last line of a row that spans several. */
  readonly line: number
  readonly path: string
  readonly label: string
  readonly split: Split
}

export type Split = 'train' | 'val' | 'test'

/** Something wrong in a table. */
export interface Issue {
  readonly line?: number
  readonly column?: string
  readonly message: string
}

const SHOWN_ISSUES = 20
const MAX_RECORD = 1 << 20 // characters

const SPLITS: ReadonlyMap<string, Split> = new Map([
  ['train', 'train'],
  ['val', 'val'],
  ['validation', 'val'],
  ['test', 'test'],
])

/** What people call the columns that are looked for. */
const OTHER_NAMES: Readonly<Record<Column, readonly string[]>> = {
  path: [
    'paths',
    'pth',
    'paht',
    'file',
    'files',
    'filename',
    'filepath',
    'image',
    'images',
    'imagepath',
    'img',
    'name',
  ],
  label: ['labels', 'lable', 'lables', 'lbl', 'class', 'classes', 'classname', 'category', 'target', 'y'],
}
type Column = 'path' | 'label'

/**
 * Reads the rows of a table with a header, by csv-parse: quoted fields, CRLF and a byte-order mark are understood; blanks
 * around a field count only inside quotes. Rows with an issue are left out. Throws TrexError for a file that cannot be
 * read, and for a header without the columns.
 */
export async function readCsvRows(file: string): Promise<{ rows: CsvRow[]; issues: Issue[] }> {
  const rows: CsvRow[] = []
  const issues: Issue[] = []
  let columns: Columns | null = null
  try {
    if (!(await stat(file)).isFile()) throw new Error('it is not a file')
    for await (const { record, info } of records(file)) {
      const line = info.lines
      if (columns === null) columns = columnsOf(file, record)
      else if (record.length !== columns.width)
        issues.push({ line, message: `${record.length} fields, but the header has ${columns.width}` })
      else readRow(record, line, columns, rows, issues)
    }
  } catch (error) {
    if (error instanceof TrexError) throw error
    if (!(error instanceof CsvError)) throw cannotReadTable(file, error as NodeJS.ErrnoException)
    issues.push({ line: Number(error.lines), message: inWords(error) })
  }
  if (columns === null && issues.length === 0) issues.push({ message: 'the file is empty' })
  else if (rows.length === 0 && issues.length === 0)
    issues.push({ message: 'there is no line but the header' })
  return { rows, issues }
}

/** The message for the issues of a file, the first 20. */
export function shownIssues(file: string, issues: readonly Issue[]): string {
  const place = ({ line, column, message }: Issue) => {
    const where = [...(line === undefined ? [] : [`line ${line}`]), ...(column ? [`column ${column}`] : [])]
    return where.length > 0 ? `${where.join(', ')}: ${message}` : message
  }
  if (issues.length === 1) return `${file}: ${place(issues[0]!)}`
  const inOrder = [...issues].sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
  const more = issues.length - SHOWN_ISSUES
  const lines = inOrder.slice(0, SHOWN_ISSUES).map((issue) => `\n  ${place(issue)}`)
  return `${file} has ${issues.length} problems:${lines.join('')}${more > 0 ? `\n  and ${more} more` : ''}`
}

function records(file: string): AsyncIterable<{ record: string[]; info: Info }> {
  const parser = parse({
    bom: true,
    delimiter: /\.tsv$/i.test(file) ? '\t' : ',',
    info: true,
    max_record_size: MAX_RECORD,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  })
  createReadStream(file)
    .on('error', (error) => parser.destroy(error))
    .pipe(parser)
  return parser
}

/** Where the columns are in a row. */
interface Columns {
  readonly path: number
  readonly label: number
  /** -1 where there is none. */
  readonly split: number
  readonly width: number
}

function columnsOf(file: string, header: readonly string[]): Columns {
  const names = header.map((name) => name.trim().toLowerCase())
  const issues = (['path', 'label', 'split'] as const).flatMap((wanted): Issue[] => {
    const times = names.filter((name) => name === wanted).length
    if (times > 1) return [{ line: 1, message: `the column ${wanted} is there ${times} times` }]
    if (times === 1 || wanted === 'split') return []
    const near = header.filter((_, i) => OTHER_NAMES[wanted].includes(names[i]!.replace(/[ _-]/g, '')))
    const meant = near.length > 0 ? ` (did you mean ${near.map((name) => `"${name}"`).join(' or ')}?)` : ''
    return [{ line: 1, message: `there is no column "${wanted}"${meant}` }]
  })
  if (issues.length > 0) {
    const hint = `the first line names the columns: path, label and perhaps split; found: ${header.join(', ').slice(0, 200)}`
    throw new TrexError(shownIssues(file, issues), { hint })
  }
  const place = (name: string) => names.indexOf(name)
  return { path: place('path'), label: place('label'), split: place('split'), width: header.length }
}

function readRow(record: string[], line: number, columns: Columns, rows: CsvRow[], issues: Issue[]): void {
  const before = issues.length
  const field = (column: 'path' | 'label' | 'split') => {
    const text = record[columns[column]]!
    if (text.trim() === '') issues.push({ line, column, message: 'it is empty' })
    else if (text.includes('\ufffd')) issues.push({ line, column, message: `${text} is not UTF-8` })
    else if (text.includes('\0')) issues.push({ line, column, message: 'it holds a zero byte' })
    return text
  }
  const [path, label] = [field('path'), field('label').trim()]
  let split: Split = 'train'
  if (columns.split >= 0) {
    const text = field('split').trim()
    const known = SPLITS.get(text.toLowerCase())
    if (known) split = known
    else if (text !== '') issues.push({ line, column: 'split', message: unknownSplit(text) })
  }
  if (issues.length === before) rows.push({ line, path, label, split })
}

function unknownSplit(text: string): string {
  const meant = [...SPLITS.keys()].find((name) => text.toLowerCase().startsWith(name.slice(0, 2)))
  return `"${text}" is none of train, val, validation, test${meant ? ` (did you mean "${meant}"?)` : ''}`
}

function inWords({ code, message }: CsvError): string {
  if (code === 'CSV_QUOTE_NOT_CLOSED') return 'a quoted field is not closed'
  if (code === 'CSV_MAX_RECORD_SIZE') return `a line of more than ${MAX_RECORD} characters: this is no table`
  return message
}

function cannotReadTable(file: string, { code, message }: NodeJS.ErrnoException): TrexError {
  const reason = code === 'ENOENT' ? 'there is no such file' : message
  return new TrexError(`cannot read ${file}: ${reason}`, { hint: 'check the path and its permissions' })
}
