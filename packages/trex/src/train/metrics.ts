import { appendFileSync, existsSync, readFileSync, statSync, truncateSync } from 'node:fs'
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

/** The training task on the validation images, weighted by image. */
export interface ValidationScores {
  readonly top1: number
  readonly top5: number
  readonly valLoss: number
}

const metricsPath = (run: Run): string => join(run.dir, 'metrics.jsonl')

/** Appends rows to metrics.jsonl. @throws TrexError when the disk refuses. */
export function logMetrics(run: Run, rows: readonly MetricsRow[]): void {
  attempt(run, (path) => appendFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join('')))
}

/** The length of metrics.jsonl in bytes: what a checkpoint keeps of it. @throws TrexError when it cannot be read. */
export function metricsBytes(run: Run): number {
  return attempt(run, (path) => (existsSync(path) ? statSync(path).size : 0))
}

/**
 * Cuts metrics.jsonl to the rows of the checkpoint that is resumed; rows that it has lost stay lost.
 * @throws TrexError when the disk refuses.
 */
export function truncateMetrics(run: Run, bytes: number): void {
  attempt(run, (path) => {
    if (existsSync(path) && statSync(path).size > bytes) truncateSync(path, bytes)
  })
}

/** The rows of metrics.jsonl; one that is cut short, as a full disk leaves it, is left out. */
export function readMetrics(run: Pick<Run, 'dir'>): MetricsRow[] {
  const path = join(run.dir, 'metrics.jsonl')
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
  return lines.map((line) => JSON.parse(line) as MetricsRow)
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
