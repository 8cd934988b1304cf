import { type EpochTotals, NO_STEPS } from './totals.js'

/** Where a run stands; a checkpoint holds it. */
export interface Position {
  /** The epoch that is under way, or comes next. */
  readonly epoch: number
  /** Its batches that were learned from; all of them when only the validation is left. */
  readonly batch: number
  /** What they gave. */
  readonly totals: EpochTotals
  /** The bytes of metrics.jsonl that belong to what was done. */
  readonly metricsBytes: number
  /** The epoch with the best validation top-1 (per cent) so far. */
  readonly best: { readonly epoch: number; readonly top1: number } | null
}

/** Before the first step. */
export const START: Position = { epoch: 0, batch: 0, totals: NO_STEPS, metricsBytes: 0, best: null }
