import { availableParallelism } from 'node:os'
import { manualSeed, tidy } from 'trex-torch'
import { openLoader } from '../data/loader/loader.js'
import { openWorkers } from '../data/loader/workers.js'
import type { ImageDataset } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import { cropGroups } from '../settings.js'
import { openBadImages, saveBadImages } from './badImages.js'
import { stepInput } from './batch.js'
import { createLearner, hasFiniteWeights, type Learner, ownLearner } from './learner.js'
import { restoreLearner, saveLearner } from './learnerCheckpoint.js'
import { resolvePrecision } from './precision.js'
import {
  checkpointPath,
  logMetrics,
  type MetricsRow,
  type Run,
  truncateMetrics,
  type ValidationScores,
} from './run.js'
import { lockRun } from './runLock.js'
import { learningRates } from './schedule.js'
import { trainStep } from './step.js'
import { validate } from './validate.js'

/** What training tells as it goes: every row of metrics.jsonl, and where the run stands. */
export type TrainEvent = MetricsRow & { readonly steps: number; readonly images: number }

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
  { resume = false } = {},
): AsyncGenerator<TrainEvent, Learner> {
  using _lock = lockRun(run.dir)
  const { settings } = run
  const { batchSize, epochs, channelsLast, seed } = settings
  const precision = resolvePrecision(settings)
  manualSeed(seed)
  using owner = ownLearner(createLearner(settings, data.classes.length, precision))
  const { learner } = owner
  const groups = cropGroups(settings)
  const counts = groups.map(({ count }) => count)
  using bad = openBadImages(run)
  await using pool = openWorkers({
    workers: settings.workers === 'auto' ? Math.min(4, availableParallelism()) : settings.workers,
    normalization: settings.normalization,
    decode: { autoOrient: settings.data.autoOrient },
    cacheBytes: CACHE_BYTES,
  })
  const reading = { pool, bad, ...(data.stream && { stream: data.stream }) }
  await using loader = openLoader({ samples: data.train, groups, batchSize, seed, ...reading })
  const { lr, minLr, warmupEpochs } = settings.optimizer
  const peak = lr * (batchSize / 256)
  const rates = learningRates({
    peak,
    final: minLr,
    epochs,
    iterationsPerEpoch: loader.batches,
    warmupEpochs,
  })

  const start = resume ? restoreLearner(checkpointPath(run), learner) : { epoch: 0, step: 0, metricsBytes: 0 }
  truncateMetrics(run, start.metricsBytes)
  let { step } = start
  for (let epoch = start.epoch; epoch < epochs; epoch++) {
    const began = performance.now()
    let [lossSum, batches, images] = [0, 0, 0]
    let stepBegan = began
    for await (const batch of loader.epoch(epoch)) {
      step = epoch * loader.batches + batch.index
      if (batch.size < 2) {
        batch.release() // bad images left one, of which there are no batch statistics
        continue
      }
      const loss = tidy(() =>
        trainStep(learner, stepInput(batch, counts, { precision, channelsLast }), rates[step]!).loss.item(),
      )
      batch.release()
      if (!Number.isFinite(loss)) throw nonFinite(`the loss is ${loss} at`, epoch, step)
      lossSum += loss
      batches++
      images += batch.size
      const seconds = (performance.now() - stepBegan) / 1000
      stepBegan = performance.now()
      const row: MetricsRow = {
        kind: 'step',
        epoch,
        step,
        loss,
        lr: rates[step]!,
        imagesPerSecond: batch.size / seconds,
      }
      logMetrics(run, row)
      yield { ...row, steps: rates.length, images: batch.size }
    }
    step = (epoch + 1) * loader.batches
    if (batches === 0) throw new TrexError(`none of the images of epoch ${epoch + 1} can be read`)
    const scores: Partial<ValidationScores> = data.val.length
      ? await validate(learner, data.val, settings, reading)
      : {}
    if (!hasFiniteWeights(learner) || !Number.isFinite(scores.valLoss ?? 0))
      throw nonFinite('the weights are not finite after', epoch, step - 1)
    const seconds = (performance.now() - began) / 1000
    const row: MetricsRow = { kind: 'epoch', epoch, step, loss: lossSum / batches, seconds, ...scores }
    const metricsBytes = logMetrics(run, row)
    saveBadImages(run, bad)
    saveLearner(checkpointPath(run), learner, { epoch: epoch + 1, step, metricsBytes })
    yield { ...row, steps: rates.length, images }
  }
  return owner.release()
}

/** Decoded images each worker keeps: small sets are decoded once. */
const CACHE_BYTES = 256 << 20

function nonFinite(what: string, epoch: number, step: number): TrexError {
  return new TrexError(`${what} step ${step} (epoch ${epoch})`, {
    hint: 'lower optimizer.lr or lengthen optimizer.warmupEpochs; the last checkpoint is from before this epoch',
  })
}
