import { type Device, manualSeed, tidy } from 'trex-torch'
import { prototypeDrift } from '../analysis/prototypeDrift.js'
import { type BadImages, collectBadImages } from '../data/loader/badImages.js'
import { type Batch, type Loader, openLoader } from '../data/loader/loader.js'
import type { Workers } from '../data/loader/workers.js'
import type { ImageDataset } from '../data/sources/sample.js'
import { cropGroups, type Settings } from '../settings.js'
import { openBadImages } from './badImages.js'
import { stepInput } from './batch.js'
import { createLearner, type Learner, ownLearner } from './learner.js'
import type { MeasuredStep } from './meter.js'
import { setWeightDecay } from './optimizer.js'
import { applyPrecision, resolvePrecision } from './precision.js'
import { openDataWorkers, type ValidationReading } from './reading.js'
import type { Run } from './run.js'
import { learningRates, weightDecays } from './schedule.js'
import { trainStep } from './step.js'

/** All that a run computes with, made from its settings: fresh weights, batches, the schedule. */
export interface Training extends AsyncDisposable {
  readonly learner: Learner
  readonly loader: Loader
  /** The learning rate of every step. */
  readonly rates: Float64Array
  readonly device: Device
  /** What validation reads its images with. */
  readonly reading: ValidationReading & { readonly bad: BadImages }
  /** Steps between two looks at the device. */
  readonly logEvery: number
  /** Makes a step of the run; null for a batch of which bad images have left too little for batch statistics. */
  learn(batch: Batch, step: number): MeasuredStep | null
  /** Hands the learner on, which is disposed with the rest otherwise. */
  release(): Learner
}

/** Options of `openTraining`. */
export interface TrainingOptions {
  readonly signal?: AbortSignal | undefined
  /** Batches from elsewhere than the training images of the data. */
  readonly loader?: Loader | undefined
  /** Leave RUN/bad-images.json as it is. */
  readonly readOnly?: boolean
}

/** @throws TrexError when the device is missing or the images do not fill a batch. */
export function openTraining(
  run: Run,
  data: ImageDataset,
  { signal, loader: given, readOnly = false }: TrainingOptions = {},
): Training {
  const { settings } = run
  const { batchSize, channelsLast, seed, accumulate, epochs } = settings
  const precision = resolvePrecision(settings)
  applyPrecision(settings)
  manualSeed(seed)
  const owner = ownLearner(createLearner(settings, data.classes.length, precision))
  const { learner } = owner
  const groups = cropGroups(settings)
  const counts = groups.map(({ count }) => count)
  let bad: (BadImages & Disposable) | null = null
  let pool: Workers | null = null
  let loader = given
  const release = () => {
    bad?.[Symbol.dispose]()
    owner[Symbol.dispose]()
  }
  const closeThreads = async () => {
    // Nothing is read any more, and an error that has ended the work counts more than one of these.
    if (!given) await loader?.close().catch(() => {})
    await pool?.close().catch(() => {})
  }
  try {
    bad = readOnly ? null : openBadImages(run)
    pool = openDataWorkers(settings, { device: precision.device, cacheBytes: CACHE_BYTES })
    const reading = {
      pool,
      bad: bad ?? collectBadImages(settings.data),
      ...(data.stream && { stream: data.stream }),
      ...(signal && { signal }),
    }
    loader ??= openLoader({ samples: data.train, groups, batchSize, seed, epochs, ...reading })
    const rates = ratesOf(settings, loader.batches)
    const { weightDecay, weightDecayEnd } = settings.optimizer
    const decays = weightDecays({ start: weightDecay, end: weightDecayEnd, steps: rates.length })
    const target = { precision, channelsLast }
    const how = { accumulate, clipNorm: settings.optimizer.clipNorm }
    const { driftEvery } = settings.watch
    const { prototypes } = learner
    return {
      learner,
      loader,
      rates,
      reading,
      device: precision.device,
      logEvery: settings.logEvery === 'auto' ? (precision.device === 'cpu' ? 1 : 10) : settings.logEvery,
      learn(batch, step) {
        if (batch.size < 2) return null
        return tidy(() => {
          setWeightDecay(learner, decays[step]!)
          const before = driftEvery > 0 && step % driftEvery === 0 ? prototypes.vectors() : null
          const result = trainStep(learner, stepInput(batch, counts, target), rates[step]!, how)
          return before ? { ...result, drift: prototypeDrift(before, prototypes.vectors()) } : result
        })
      },
      release: () => owner.release(),
      async [Symbol.asyncDispose]() {
        await closeThreads()
        release()
      },
    }
  } catch (error) {
    release()
    void closeThreads()
    throw error
  }
}

function ratesOf({ optimizer, batchSize, epochs }: Settings, iterationsPerEpoch: number): Float64Array {
  const { lr, minLr, warmupEpochs } = optimizer
  const peak = lr * (batchSize / 256)
  return learningRates({ peak, final: minLr, epochs, iterationsPerEpoch, warmupEpochs })
}

/** Decoded images each worker keeps: small sets are decoded once. */
const CACHE_BYTES = 256 << 20
