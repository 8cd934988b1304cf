import type { Device } from 'trex-torch'
import type { Batch } from '../data/loader/loader.js'
import { TrexError } from '../errors.js'
import { NonFinite } from './failure.js'
import type { InitReport } from './initFrom.js'
import { type MeasuredStep, openMeter, type StepFacts, type StepFigures } from './meter.js'
import {
  type EpochRow,
  logMetrics,
  type MetricsRow,
  type SpectrumFigures,
  syncMetrics,
  truncateMetrics,
  type ValidationScores,
} from './metrics.js'
import { watchPace } from './pace.js'
import type { Position } from './position.js'
import type { Run } from './run.js'
import { type EventFile, openEventFile } from './tensorboard/eventFile.js'
import { logRow } from './tensorboard/logRow.js'
import { epochMeans, NO_STEPS, stepRow, withStep } from './totals.js'

/** What training tells as it goes: every row of metrics.jsonl, and where the run stands. */
export type TrainEvent =
  | (MetricsRow & { readonly steps: number; readonly images: number })
  | InitEvent
  | NoteEvent

/** Training has started from the encoder weights of a file. */
export interface InitEvent {
  readonly kind: 'init'
  readonly report: InitReport
}

/** Something was left out without which the run goes on. */
export interface NoteEvent {
  readonly kind: 'note'
  readonly text: string
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
  /** Whether it knows of all that was done: not within a step, nor after a look that has failed. */
  readonly whole: boolean
  /** The step that was looked at last. */
  readonly last: StepFigures | null
  /** Writes down what the features are like, or tells why that is not known. @throws TrexError */
  spectrum(figures: SpectrumFigures | { readonly missing: string }): Generator<TrainEvent, void>
  /** Writes down the end of an epoch; whether it is the best so far. @throws TrexError */
  endEpoch(scores: Partial<ValidationScores>, seconds: number): Generator<TrainEvent, boolean>
  /** Where the run stands after the last look, for a checkpoint: the disk keeps what it counts on. @throws TrexError */
  position(): Position
  /** After a checkpoint: has the disk keep the curves, too, which may fail where it may not. */
  flush(): Generator<TrainEvent, void>
}

/** What a journal has to know of a run. */
export interface JournalOptions {
  /** Of the whole run. */
  readonly steps: number
  readonly perEpoch: number
  readonly logEvery: number
  readonly device: Device
}

/** Opens the journal of a run at a position, from which rows that were written later are taken away. */
export function openJournal(
  run: Run,
  start: Position,
  { steps, perEpoch, logEvery, device }: JournalOptions,
): Journal {
  truncateMetrics(run, start.metricsBytes)
  const startStep = start.epoch * perEpoch + start.batch
  let curves = run.settings.watch.tensorboard ? openEventFile(run.dir, { startStep }) : null
  const meter = openMeter()
  const pace = device === 'cpu' ? watchPace() : () => null
  let here = start
  let last: StepFigures | null = null
  let whole = true
  /** Writes to TensorBoard's file, which is given up once the disk refuses: metrics.jsonl has the same figures. */
  function* draw(act: (curves: EventFile) => void): Generator<TrainEvent, void> {
    if (!curves) return
    try {
      act(curves)
    } catch (error) {
      closeQuietly(curves)
      curves = null
      yield { kind: 'note', text: `TensorBoard's curves end here: ${(error as Error).message}` }
    }
  }
  function* log(rows: readonly MetricsRow[]): Generator<TrainEvent, void> {
    logMetrics(run, rows)
    yield* draw((file) => {
      for (const row of rows) logRow(file, row)
    })
  }
  function* write(row: MetricsRow, images: number): Generator<TrainEvent, void> {
    yield* log([row])
    yield { ...row, steps, images }
  }
  return {
    async *timed(batches) {
      meter.wait()
      for await (const batch of batches) {
        whole = false
        meter.begin()
        yield batch
        meter.wait()
      }
    },
    add(batch, facts, result) {
      if (result) meter.add(facts, result)
      here = { ...here, batch: batch + 1 }
      whole = true
    },
    get due() {
      return meter.pending >= logEvery
    },
    *look() {
      whole = false
      const figures = meter.read()
      const bad = figures.findIndex(({ loss }) => !Number.isFinite(loss))
      const good = figures.slice(0, bad < 0 ? undefined : bad)
      const told = [...log(good.map(stepRow))]
      here = { ...here, totals: good.reduce(withStep, here.totals) }
      whole = bad < 0
      yield* told
      for (const step of good) {
        yield { ...stepRow(step), steps, images: step.images }
        const text = pace(step.seconds - step.waited)
        if (text) yield { kind: 'note', text }
      }
      last = figures[bad] ?? figures.at(-1) ?? last
      if (bad >= 0) throw new NonFinite('loss', figures[bad]!)
    },
    get whole() {
      return whole
    },
    get last() {
      return last
    },
    *spectrum(figures) {
      const { epoch } = here
      if ('missing' in figures) {
        yield { kind: 'note', text: `epoch ${epoch + 1} has no spectrum of features: ${figures.missing}` }
        return
      }
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
      whole = false // until the best is on the disk, which the position counts on
      return isBest
    },
    position() {
      return { ...here, metricsBytes: syncMetrics(run) }
    },
    *flush() {
      whole = true
      yield* draw((file) => file.flush())
    },
    [Symbol.dispose]() {
      meter[Symbol.dispose]()
      if (curves) closeQuietly(curves)
    },
  }
}

function closeQuietly(file: EventFile): void {
  try {
    file.close()
  } catch {} // the work has ended in another way, or the last flush has said so
}
