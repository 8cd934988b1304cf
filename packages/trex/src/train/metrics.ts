import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  truncateSync,
} from 'node:fs'
import { join } from 'node:path'
import { TrexError } from '../errors.js'
import type { Run } from './run.js'

/** A row of metrics.jsonl; losses are nats, accuracies per cent. */
export type MetricsRow = StepRow | EpochRow | SpectrumRow

/** One training step. */
export interface StepRow {
  readonly kind: 'step'
  readonly epoch: number
  readonly step: number
  readonly loss: number
  /** Share of the crops that are nearest to their own class. */
  readonly top1: number
  readonly lr: number
  readonly imagesPerSecond: number
  /** Share of the time, 0 to 1, that was spent waiting for images. */
  readonly dataWait: number
  /** How far the prototypes moved in this step, at the steps where it is measured. */
  readonly drift?: number
}

/** The end of an epoch: means over its training images, and the validation. */
export interface EpochRow extends Partial<ValidationScores> {
  readonly kind: 'epoch'
  readonly epoch: number
  /** Steps made so far. */
  readonly step: number
  readonly loss: number
  readonly trainTop1: number
  readonly seconds: number
  /** As in step rows. */
  readonly dataWait: number
}

/** What the validation features are like after an epoch, where it is measured; see `featureSpectrum`. */
export interface SpectrumRow {
  readonly kind: 'spectrum'
  readonly epoch: number
  /** Steps made so far. */
  readonly step: number
  /** Images that were looked at. */
  readonly images: number
  readonly effectiveRank: number
  readonly codingLength: number
  readonly singularValues: readonly number[]
}

/** What a spectrum row tells of the features. */
export type SpectrumFigures = Omit<SpectrumRow, 'kind' | 'epoch' | 'step'>

/** The training task on the validation images, weighted by image. */
export interface ValidationScores {
  readonly top1: number
  readonly top5: number
  readonly valLoss: number
}

const metricsPath = (run: Pick<Run, 'dir'>): string => join(run.dir, 'metrics.jsonl')

/** Appends rows to metrics.jsonl. @throws TrexError when the disk refuses. */
export function logMetrics(run: Run, rows: readonly MetricsRow[]): void {
  attempt(run, (path) => appendFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join('')))
}

/**
 * Has the disk keep metrics.jsonl, even if the power goes, for a checkpoint that counts on it.
 * @returns its length in bytes
 * @throws TrexError when the disk refuses.
 */
export function syncMetrics(run: Run): number {
  return attempt(run, (path) => {
    if (!existsSync(path)) return 0
    const file = openSync(path, 'r+')
    try {
      fsyncSync(file)
      return fstatSync(file).size
    } finally {
      closeSync(file)
    }
  })
}

/**
 * Cuts metrics.jsonl to the whole rows of the checkpoint that is resumed; rows that it has lost stay lost.
 * @throws TrexError when the disk refuses.
 */
export function truncateMetrics(run: Run, bytes: number): void {
  attempt(run, (path) => {
    if (!existsSync(path)) return
    const rows = readFileSync(path)
    const length = rows.subarray(0, bytes).lastIndexOf('\n') + 1
    if (length < rows.length) truncateSync(path, length)
  })
}

/** The rows of metrics.jsonl; what a full disk or a power cut has left of others is left out. */
export function readMetrics(run: Pick<Run, 'dir'>): MetricsRow[] {
  const path = metricsPath(run)
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line) as MetricsRow]
    } catch {
      return []
    }
  })
}

function attempt<T>(run: Run, act: (path: string) => T): T {
  const path = metricsPath(run)
  try {
    return act(path)
  } catch (cause) {
    throw new TrexError(`${path} cannot be written: ${(cause as Error).message}`, {
      hint: `free some space, then continue with \`trex train --resume ${run.dir}\``,
      cause,
    })
  }
}
