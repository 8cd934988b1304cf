import type { Batch } from '../data/loader/loader.js'
import { TrexError } from '../errors.js'
import { NonFinite } from './failure.js'
import type { InitReport } from './initFrom.js'
import { type MeasuredStep, openMeter, type StepFacts, type StepFigures } from './meter.js'
import {
  type EpochRow,
  logMetrics,
  type MetricsRow,
  metricsBytes,
  type SpectrumRow,
  truncateMetrics,
  type ValidationScores,
} from './metrics.js'
import type { Position } from './position.js'
import type { Run } from './run.js'
import { openEventFile } from './tensorboard/eventFile.js'
import { logRow } from './tensorboard/logRow.js'
import { epochMeans, NO_STEPS, stepRow, withStep } from './totals.js'

/** What training tells as it goes: every row of metrics.jsonl, and where the run stands. */
export type TrainEvent = (MetricsRow & { readonly steps: number; readonly images: number }) | InitEvent

/** Training has started from the encoder weights of a file. */
export interface InitEvent {
  readonly kind: 'init'
  readonly report: InitReport
}

/** Writes down what happens in a run, and knows where it stands. */
export interface Journal extends Disposable {
  /** Passes batches on, and takes note of how long they let one wait. */
  timed(batches: AsyncIterable<Batch>): AsyncGenerator<Batch, void>
  /** A batch is done; without a result it was left out. */
  add(batch: number, facts: StepFacts, result: MeasuredStep | null): void
  /** Whether it is time to look. */
  readonly due: boolean
  /**
   * Waits for the device and writes down what the steps since the last time gave.
   * @throws NonFinite at the first step whose loss is not finite; TrexError when the disk refuses.
   */
  look(): Generator<TrainEvent, void>
  /** The step that was looked at last. */
  readonly last: StepFigures | null
  /** Writes down what the features are like. @throws TrexError */
  spectrum(figures: Omit<SpectrumRow, 'kind' | 'epoch' | 'step'>): Generator<TrainEvent, void>
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
  const startStep = start.epoch * perEpoch + start.batch
  const events = run.settings.watch.tensorboard ? openEventFile(run.dir, { startStep }) : null
  const meter = openMeter()
  let here = start
  let last: StepFigures | null = null
  const log = (rows: readonly MetricsRow[]) => {
    logMetrics(run, rows)
    for (const row of rows) if (events) logRow(events, row)
  }
  function* write(row: MetricsRow, images: number): Generator<TrainEvent, void> {
    log([row])
    yield { ...row, steps, images }
  }
  return {
    async *timed(batches) {
      meter.wait()
      for await (const batch of batches) {
        meter.begin()
        yield batch
        meter.wait()
      }
    },
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
      log(good.map(stepRow))
      here = { ...here, totals: good.reduce(withStep, here.totals) }
      for (const step of good) yield { ...stepRow(step), steps, images: step.images }
      last = figures[bad] ?? figures.at(-1) ?? last
      if (bad >= 0) throw new NonFinite('loss', figures[bad]!)
    },
    get last() {
      return last
    },
    *spectrum(figures) {
      const { epoch } = here
      yield* write({ kind: 'spectrum', epoch, step: (epoch + 1) * perEpoch, ...figures }, figures.images)
    },
    *endEpoch(scores, validationSeconds) {
      const { epoch, totals, best } = here
      if (totals.images === 0) throw new TrexError(`none of the images of epoch ${epoch + 1} can be read`)
      const step = (epoch + 1) * perEpoch
      const seconds = totals.seconds + validationSeconds
      const row: EpochRow = { kind: 'epoch', epoch, step, ...epochMeans(totals), seconds, ...scores }
      const isBest = row.top1 !== undefined && row.top1 > (best?.top1 ?? -1)
      yield* write(row, totals.images)
      here = {
        ...here,
        ...{ epoch: epoch + 1, batch: 0, totals: NO_STEPS },
        best: isBest ? { epoch, top1: row.top1! } : best,
      }
      return isBest
    },
    position() {
      events?.flush()
      return { ...here, metricsBytes: metricsBytes(run) }
    },
    [Symbol.dispose]() {
      meter[Symbol.dispose]()
      try {
        events?.close()
      } catch {} // the work has ended in another way, or the last checkpoint's flush has said so
    },
  }
}
