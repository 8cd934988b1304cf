import { setImmediate } from 'node:timers/promises'
import { tidy, trimMemory } from 'trex-torch'
import type { Loader } from '../data/loader/loader.js'
import type { ImageDataset } from '../data/sources/sample.js'
import { clearFailure, keepFailure, NonFinite } from './failure.js'
import { initialiseFrom } from './initFrom.js'
import { openJournal, type TrainEvent } from './journal.js'
import type { Learner } from './learner.js'
import { restoreLearner } from './learnerCheckpoint.js'
import { START } from './position.js'
import { checkpointPath, type Run } from './run.js'
import { lockRun } from './runLock.js'
import { openSaves } from './saves.js'
import { validationSpectrum } from './spectrum.js'
import { openTraining } from './training.js'
import { validate } from './validate.js'

export type { TrainEvent } from './journal.js'

/** Options of `train`. */
export interface TrainOptions {
  /** Go on from the run's last checkpoint. */
  readonly resume?: boolean
  /** When it is aborted the state is saved, and the iteration rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Batches from elsewhere than the training images of the data. */
  readonly loader?: Loader
}

/**
 * Trains a run from its start or its last checkpoint to its end, yielding what happens. Leaving the iteration ends it;
 * what was done since the last checkpoint is then lost, and `resume` goes on from there exactly.
 * @returns the learner, which the caller disposes; it is gone when the iteration ends in another way.
 * @throws TrexError on a bad image, a loss or weight that is not finite, a disk that refuses, or when another process
 * trains the run; the last checkpoint is intact then.
 */
export async function* train(
  run: Run,
  data: ImageDataset,
  { resume = false, signal, loader: given }: TrainOptions = {},
): AsyncGenerator<TrainEvent, Learner> {
  using _lock = lockRun(run.dir)
  await using training = openTraining(run, data, { signal, loader: given })
  const { learner, loader, rates } = training
  const { initFrom } = run.settings
  const { spectrumEvery } = run.settings.watch
  const start = resume ? restoreLearner(checkpointPath(run), learner) : START
  const perEpoch = loader.batches
  const { logEvery, device } = training
  using journal = openJournal(run, start, { steps: rates.length, perEpoch, logEvery, device })
  const saves = openSaves(run, learner, training.reading.bad, start)
  clearFailure(run)
  if (!resume && initFrom !== null) yield { kind: 'init', report: initialiseFrom(learner, initFrom) }

  try {
    for (let { epoch, batch: from } = start; epoch < run.settings.epochs; epoch++, from = 0) {
      for await (const batch of journal.timed(loader.epoch(epoch, from))) {
        const step = epoch * perEpoch + batch.index
        const lr = rates[step]!
        tidy(() =>
          journal.add(batch.index, { epoch, step, lr, images: batch.size }, training.learn(batch, step)),
        )
        batch.release()

        const save = saves.due(step + 1)
        if (save || journal.due) yield* journal.look()
        if (save) {
          saves.save(journal.position())
          yield* journal.flush()
        }
        await setImmediate() // a turn of the event loop: signals come through
        signal?.throwIfAborted()
      }
      yield* journal.look()
      const began = performance.now()
      const scores = data.val.length ? await validate(learner, data.val, run.settings, training.reading) : {}
      if (spectrumEvery > 0 && (epoch + 1) % spectrumEvery === 0 && data.val.length > 0)
        yield* journal.spectrum(await validationSpectrum(learner, data.val, run.settings, training.reading))
      const isBest = yield* journal.endEpoch(scores, (performance.now() - began) / 1000)
      saves.saveEpoch(journal.position(), isBest)
      trimMemory() // validation and V8's compilers leave holes, which would add up over epochs
      yield* journal.flush()
    }
  } catch (error) {
    throw yield* stopOrFail(error)
  }
  return training.release()

  /** Saves what is done when a stop was asked for, keeps a step that went wrong; the error that ends the run. */
  async function* stopOrFail(error: unknown): AsyncGenerator<TrainEvent, unknown> {
    let reason = error
    try {
      if (signal?.aborted && journal.whole) {
        yield* journal.look()
        saves.save(journal.position())
      }
    } catch (failure) {
      reason = failure
    }
    const step = reason instanceof NonFinite ? (reason.step ?? journal.last) : null
    if (!step) return reason
    return keepFailure(run, data, { ...training.reading, loader: given }, (reason as NonFinite).what, step)
  }
}
