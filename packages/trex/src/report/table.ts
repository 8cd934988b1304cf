/** Results: one row a model, accuracies in per cent; the last column is the mean log odds. */
export interface ResultTable {
  /** Names of the columns. */
  columns: string[]
  /** A missing figure is null. */
  rows: { model: string; cells: (number | null)[] }[]
  /** What guessing reaches in each column; null where that means nothing. */
  chance?: (number | null)[]
  notes: string[]
}

/** A share in per cent: one decimal, two below 1 %. */
export const formatPercent = (value: number): string => value.toFixed(value < 1 ? 2 : 1)

/** A figure of a column as text: per cent, a sign and two decimals for the log odds, a dash if missing. */
export function formatCell(table: ResultTable, column: number, value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–'
  if (column < table.columns.length - 1) return formatPercent(value)
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`
}

/**
 * The rows that are best in a column, as shown: figures that print alike share it, and a column in which
 * no two rows have a figure, or all are alike, has no best.
 */
export function bestRows(table: ResultTable, column: number): Set<number> {
  const values = table.rows.map(({ cells }) => cells[column])
  const present = values.filter((v): v is number => typeof v === 'number' && Number.isFinite(v))
  const best = formatCell(table, column, Math.max(...present))
  const shown = values.map((value) => formatCell(table, column, value))
  if (present.length < 2 || present.every((v) => formatCell(table, column, v) === best)) return new Set()
  return new Set(shown.flatMap((text, row) => (text === best ? [row] : [])))
}

/** The table for a terminal: one line a set, one column a model, `*` after the best figure of a line. */
export function formatTable(table: ResultTable, labels: Readonly<Record<string, string>> = {}): string {
  const { columns, rows, chance, notes } = table
  const head = ['', ...rows.map(({ model }) => `${labels[model] ?? model} `), ...(chance ? ['chance '] : [])]
  const lines = columns.map((name, column) => {
    const best = bestRows(table, column)
    const cells = rows.map(
      ({ cells }, row) => formatCell(table, column, cells[column]) + (best.has(row) ? '*' : ' '),
    )
    return [name, ...cells, ...(chance ? [`${formatCell(table, column, chance[column])} `] : [])]
  })
  const widths = head.map((_, i) => Math.max(...[head, ...lines].map((line) => line[i]!.length)))
  const text = ([name, ...cells]: string[]) =>
    [name!.padEnd(widths[0]!), ...cells.map((cell, i) => cell.padStart(widths[i + 1]!))].join('  ').trimEnd()
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1)))
  return [text(head), rule, ...lines.map(text), ...notes.map((note) => `  ${note}`)].join('\n')
}
