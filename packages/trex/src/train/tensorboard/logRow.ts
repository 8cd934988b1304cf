import type { EventFile } from './eventFile.js'

/** Where TensorBoard shows the fields of the rows of metrics.jsonl; other fields are not shown. */
const TAGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  step: {
    loss: 'train/loss',
    top1: 'train/top1',
    lr: 'train/lr',
    drift: 'train/drift',
    imagesPerSecond: 'speed/imagesPerSecond',
    dataWait: 'speed/dataWait',
  },
  epoch: { top1: 'validation/top1', top5: 'validation/top5', valLoss: 'validation/loss' },
  spectrum: { effectiveRank: 'spectrum/effectiveRank', codingLength: 'spectrum/codingLength' },
}

/** A row of metrics.jsonl. `step` is that of a step row, and the steps made so far in others. */
export interface LoggedRow {
  readonly kind: string
  readonly step: number
}

/**
 * Writes what a row of metrics.jsonl tells as scalars. Rows that come after a step stand at that step: a run that is
 * resumed right after them starts at the next one, and TensorBoard would drop them there.
 * @throws TrexError when the file cannot be written.
 */
export function logRow(file: EventFile, row: LoggedRow): void {
  const step = row.kind === 'step' ? row.step : Math.max(0, row.step - 1)
  const fields = row as unknown as Readonly<Record<string, unknown>>
  for (const [field, tag] of Object.entries(TAGS[row.kind] ?? {})) {
    const value = fields[field]
    if (typeof value === 'number') file.scalar(tag, step, value)
  }
}
