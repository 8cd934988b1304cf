import { TrexError } from '../errors.js'
import { NonFinite } from './failure.js'
import { openMeter, type StepFacts, type StepFigures } from './meter.js'
import {
  type EpochRow,
  logMetrics,
  type MetricsRow,
  metricsBytes,
  truncateMetrics,
  type ValidationScores,
} from './metrics.js'
import type { Position } from './position.js'
import type { Run } from './run.js'
import type { StepResult } from './step.js'
import { epochMeans, NO_STEPS, stepRow, withStep } from './totals.js'

/** What training tells as it goes: every row of metrics.jsonl, and where the run stands. */
export type TrainEvent = MetricsRow & { readonly steps: number; readonly images: number }

/** Writes down what happens in a run, and knows where it stands. */
export interface Journal extends Disposable {
  /** Images have arrived: what comes now is work. */
  begin(): void
  /** A batch is done; without a result it was left out. */
  add(batch: number, facts: StepFacts, result: StepResult | null): void
  /** Whether it is time to look. */
  readonly due: boolean
  /**
   * Waits for the device and writes down what the steps since the last time gave.
   * @throws NonFinite at the first step whose loss is not finite; TrexError when the disk refuses.
   */
  look(): Generator<TrainEvent, void>
  /** The step that was looked at last. */
  readonly last: StepFigures | null
  /** Writes down the end of an epoch; whether it is the best so far. @throws TrexError */
  endEpoch(scores: Partial<ValidationScores>, seconds: number): Generator<TrainEvent, boolean>
  /** Where the run stands after the last look. */
  position(): Position
}

/** Opens the journal of a run at a position, from which rows that were written later are taken away. */
export function openJournal(
  run: Run,
  start: Position,
  { steps, perEpoch, logEvery }: { steps: number; perEpoch: number; logEvery: number },
): Journal {
  truncateMetrics(run, start.metricsBytes)
  const meter = openMeter()
  let here = start
  let last: StepFigures | null = null
  return {
    begin: () => meter.begin(),
    add(batch, facts, result) {
      if (result) meter.add(facts, result)
      here = { ...here, batch: batch + 1 }
    },
    get due() {
      return meter.pending >= logEvery
    },
    *look() {
      const figures = meter.read()
      const bad = figures.findIndex(({ loss }) => !Number.isFinite(loss))
      const good = figures.slice(0, bad < 0 ? undefined : bad)
      logMetrics(run, good.map(stepRow))
      here = { ...here, totals: good.reduce(withStep, here.totals) }
      for (const step of good) yield { ...stepRow(step), steps, images: step.images }
      last = figures[bad] ?? figures.at(-1) ?? last
      if (bad >= 0) throw new NonFinite('loss', figures[bad]!)
    },
    get last() {
      return last
    },
    *endEpoch(scores, validationSeconds) {
      const { epoch, totals, best } = here
      if (totals.images === 0) throw new TrexError(`none of the images of epoch ${epoch + 1} can be read`)
      const step = (epoch + 1) * perEpoch
      const seconds = totals.seconds + validationSeconds
      const row: EpochRow = { kind: 'epoch', epoch, step, ...epochMeans(totals), seconds, ...scores }
      const isBest = row.top1 !== undefined && row.top1 > (best?.top1 ?? -1)
      logMetrics(run, [row])
      here = {
        ...here,
        ...{ epoch: epoch + 1, batch: 0, totals: NO_STEPS },
        best: isBest ? { epoch, top1: row.top1! } : best,
      }
      yield { ...row, steps, images: totals.images }
      return isBest
    },
    position: () => ({ ...here, metricsBytes: metricsBytes(run) }),
    [Symbol.dispose]: () => meter[Symbol.dispose](),
  }
}
