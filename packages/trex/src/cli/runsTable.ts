import { printable } from '../data/check/printable.js'
import type { RunSummary } from './runsSummary.js'
import { sparkline } from './sparkline.js'

const CURVE = 12

interface Column {
  readonly title: string
  readonly right?: boolean
  text(run: RunSummary): string
}

const COLUMNS: readonly Column[] = [
  { title: 'run', text: ({ name }) => printable(name) },
  { title: 'state', text: ({ state }) => state },
  { title: 'recipe', text: ({ recipe }) => printable(recipe ?? '') },
  { title: 'encoder', text: ({ encoder }) => encoder ?? '' },
  { title: 'epochs', right: true, text: ({ epochs }) => (epochs ? `${epochs.done}/${epochs.total}` : '') },
  { title: 'best top-1', right: true, text: ({ best }) => (best ? `${best.top1.toFixed(1)} %` : '') },
  { title: 'in epoch', right: true, text: ({ best }) => (best ? `${best.epoch}` : '') },
  { title: 'top-1 curve', text: ({ top1 }) => sparkline(top1, CURVE) },
  { title: 'loss', right: true, text: ({ loss }) => loss?.toFixed(3) ?? '' },
  { title: 'last row', right: true, text: ({ ageSeconds }) => (ageSeconds === null ? '' : age(ageSeconds)) },
  { title: '', text: ({ detail }) => printable(detail) },
]

/** Runs as a table for a terminal, a line each. */
export function formatRuns(runs: readonly RunSummary[]): string {
  const lines = [
    COLUMNS.map(({ title }) => title),
    ...runs.map((run) => COLUMNS.map(({ text }) => text(run))),
  ]
  const widths = COLUMNS.map((_, i) => Math.max(...lines.map((cells) => cells[i]!.length)))
  const pad = (cell: string, i: number) =>
    COLUMNS[i]!.right ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
  return lines.map((cells) => cells.map(pad).join('  ').trimEnd()).join('\n')
}

/** `12 s`, `5 min`, `3 h`, `2 d`. */
function age(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}
