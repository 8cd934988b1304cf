/** Rows of text; the first column is a name, the others are figures. */
export interface Grid {
  readonly head: readonly string[]
  /** Groups of rows, with a rule between them. */
  readonly groups: readonly (readonly (readonly string[])[])[]
}

/** What a grid can be written as. */
export const GRID_FORMATS = ['text', 'markdown', 'latex'] as const
export type GridFormat = (typeof GRID_FORMATS)[number]

/** A grid as lines for a terminal, as a Markdown table or as a LaTeX tabular (of the booktabs package). */
export function formatGrid(grid: Grid, format: GridFormat): string {
  return { text, markdown, latex }[format](grid)
}

function text({ head, groups }: Grid): string {
  const widths = columnWidths([head, ...groups.flat()])
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width + 2, -2))
  const line = (cells: readonly string[]) => padded(cells, widths).join('  ').trimEnd()
  return [line(head), ...groups.flatMap((rows) => [rule, ...rows.map(line)])].join('\n')
}

function markdown({ head, groups }: Grid): string {
  const plain = (cell: string) => cell.replace(/[\\|*_`<]/g, '\\$&')
  const rows = [head, ...groups.flat()].map((cells) => cells.map(plain))
  const widths = columnWidths(rows)
  const line = (cells: readonly string[]) => `| ${padded(cells, widths).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)].join('\n')
}

function latex({ head, groups }: Grid): string {
  const line = (cells: readonly string[]) => `${cells.map(latexText).join(' & ')} \\\\`
  return [
    `\\begin{tabular}{l${'r'.repeat(head.length - 1)}}`,
    '\\toprule',
    line(head),
    ...groups.flatMap((rows) => ['\\midrule', ...rows.map(line)]),
    '\\bottomrule',
    '\\end{tabular}',
  ].join('\n')
}

const LATEX: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '±': '$\\pm$',
  '−': '$-$',
  '–': '--',
}
const latexText = (cell: string) =>
  cell.replace(/[\\~^±−–&%$#_{}]/g, (character) => LATEX[character] ?? `\\${character}`)

const columnWidths = (rows: readonly (readonly string[])[]) =>
  rows[0]!.map((_, i) => Math.max(3, ...rows.map((cells) => cells[i]!.length)))

const padded = (cells: readonly string[], widths: readonly number[]) =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
