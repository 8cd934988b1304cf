import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** What a list of runs needs of metrics.jsonl. */
export interface MetricsDigest {
  /** The rows of epochs, in order. */
  readonly epochs: readonly EpochFigures[]
  /** The loss of the last row that has one. */
  readonly loss: number | null
  /** When the last row was written, milliseconds since 1970; null without rows. */
  readonly writtenAt: number | null
}

/** An epoch's row: its number from 0, and the validation top-1 in per cent where there is validation. */
export interface EpochFigures {
  readonly epoch: number
  readonly top1: number | null
}

const CHUNK_BYTES = 4 << 20
const LONGEST_ROW = 1 << 20
const NEWLINE = 10
const EPOCH_ROW = Buffer.from('"kind":"epoch"')

/**
 * Reads metrics.jsonl without parsing the rows of steps, which are most of it: 100 MB take a fraction of a second.
 * A last row that is cut short, as it is while it is written, is left out.
 * @throws Error when the file cannot be read or a row is no JSON.
 */
export function digestMetrics(path: string): MetricsDigest {
  const file = openSync(path, 'r')
  try {
    const { mtimeMs } = fstatSync(file)
    const epochs: EpochFigures[] = []
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES + LONGEST_ROW)
    let [kept, rows] = [0, 0] // bytes of a row that goes on in the next chunk; bytes of whole rows
    let tail: Buffer = Buffer.alloc(0)
    for (;;) {
      const count = readSync(file, buffer, kept, CHUNK_BYTES, null)
      if (count === 0) break
      const filled = buffer.subarray(0, kept + count)
      const end = filled.lastIndexOf(NEWLINE) + 1
      epochs.push(...epochRows(filled.subarray(0, end)))
      tail = lastRows(Buffer.concat([tail, filled.subarray(0, end)]))
      rows += end
      kept = filled.length - end
      if (kept > LONGEST_ROW) throw new Error('a row is longer than 1 MiB')
      buffer.copyWithin(0, end, filled.length)
    }
    return { epochs, loss: lastLoss(tail), writtenAt: rows > 0 ? mtimeMs : null }
  } finally {
    closeSync(file)
  }
}

/** The whole lines at the end of others, as many as the longest line may be bytes. */
function lastRows(lines: Buffer): Buffer {
  if (lines.length <= LONGEST_ROW) return lines
  return Buffer.from(lines.subarray(lines.indexOf(NEWLINE, lines.length - LONGEST_ROW - 1) + 1))
}

type Row = Record<string, unknown>

/** The epochs' rows among whole lines. */
function epochRows(lines: Buffer): EpochFigures[] {
  const found: EpochFigures[] = []
  for (let at = lines.indexOf(EPOCH_ROW); at >= 0; ) {
    const end = lines.indexOf(NEWLINE, at)
    const { kind, epoch, top1 } = parseRow(lines.subarray(lines.lastIndexOf(NEWLINE, at) + 1, end))
    if (kind === 'epoch' && typeof epoch === 'number')
      found.push({ epoch, top1: typeof top1 === 'number' ? top1 : null })
    at = lines.indexOf(EPOCH_ROW, end)
  }
  return found
}

/** The loss of the last row that has one; the last row of all must be whole. */
function lastLoss(lines: Buffer): number | null {
  for (let end = lines.length - 1; end > 0; ) {
    const begin = lines.lastIndexOf(NEWLINE, end - 1) + 1
    const { loss } = parseRow(lines.subarray(begin, end))
    if (typeof loss === 'number') return loss
    end = begin - 1
  }
  return null
}

function parseRow(line: Buffer): Row {
  const row: unknown = JSON.parse(line.toString())
  if (typeof row !== 'object' || row === null) throw new Error('a row is no object')
  return row as Row
}
