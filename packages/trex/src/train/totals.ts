import type { StepFigures } from './meter.js'
import type { StepRow } from './metrics.js'

/** Sums over the steps of an epoch so far; a checkpoint in mid-epoch holds them. */
export interface EpochTotals {
  readonly images: number
  readonly crops: number
  readonly hits: number
  /** Nats, each step weighted by its images. */
  readonly loss: number
  readonly seconds: number
  readonly waited: number
}

/** Before the first step of an epoch. */
export const NO_STEPS: EpochTotals = { images: 0, crops: 0, hits: 0, loss: 0, seconds: 0, waited: 0 }

/** The totals with one more step. */
export function withStep(totals: EpochTotals, step: StepFigures): EpochTotals {
  return {
    images: totals.images + step.images,
    crops: totals.crops + step.crops,
    hits: totals.hits + step.hits,
    loss: totals.loss + step.loss * step.images,
    seconds: totals.seconds + step.seconds,
    waited: totals.waited + step.waited,
  }
}

/** A step as a row of metrics.jsonl. */
export function stepRow({ crops, hits, seconds, waited, images, drift, ...facts }: StepFigures): StepRow {
  const { epoch, step, loss, lr } = facts
  return {
    ...{ kind: 'step', epoch, step, loss, top1: (100 * hits) / crops, lr },
    ...{ imagesPerSecond: images / seconds, dataWait: waited / seconds },
    ...(drift !== undefined && { drift }),
  }
}

/** The training part of an epoch's row. */
export function epochMeans({ images, crops, hits, loss, waited, seconds }: EpochTotals) {
  return { loss: loss / images, trainTop1: (100 * hits) / crops, dataWait: waited / seconds }
}
