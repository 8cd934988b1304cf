import { existsSync } from 'node:fs'
import { type Tensor, tidy } from 'trex-torch'
import { openSafetensors } from 'trex-torch/safetensors'
import type { Batch } from '../data/loader/loader.js'
import { normalizedCrops } from '../data/pixels/normalize.js'
import type { ImageDataset } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import { cropGroups } from '../settings.js'
import { type Failure, failedBatchPath, readFailure } from './failure.js'
import { initialiseFrom } from './initFrom.js'
import { type Learner, learnerState, namedParameters } from './learner.js'
import { optimizerState, restoreLearner } from './learnerCheckpoint.js'
import { START } from './position.js'
import { checkpointPath, type Run } from './run.js'
import { openTraining, type Training } from './training.js'
import { type NonFiniteOutput, rangeOf, watchForward } from './watchForward.js'

/** What running a failed step again has shown. */
export interface ReplayReport {
  readonly failure: Failure
  /** The step whose checkpoint it went on from. */
  readonly from: number
  /** The loss this time, as text: JSON has no NaN. */
  readonly loss: string
  /** Losses of the steps before it. */
  readonly before: readonly { readonly step: number; readonly loss: number }[]
  /** Whether the images are those of the failure, bit for bit; null when they were not kept. */
  readonly sameImages: boolean | null
  /** Weights, and other state that a checkpoint holds, that were not finite before the step, and after it. */
  readonly badWeights: readonly string[]
  readonly badWeightsAfter: readonly string[]
  /** The largest weight before the step. */
  readonly largestWeight: { readonly name: string; readonly value: number }
  /** Where the forward pass first goes wrong; null when it does not, or the weights are to blame. */
  readonly output: NonFiniteOutput | null
}

/**
 * Runs the step again that ended a run: from the last checkpoint up to it, as it went, and then looking at every module.
 * Yields the steps done and to do. The run is only read.
 * @throws TrexError when no step has failed, or the checkpoint is of a later one.
 */
export async function* replay(
  run: Run,
  data: ImageDataset,
): AsyncGenerator<{ done: number; steps: number }, ReplayReport> {
  const failure = readFailure(run)
  if (!failure)
    throw new TrexError(`${run.dir} has no failed step to replay`, {
      hint: 'a run whose loss stops being a number leaves failure.json; this one has none',
    })
  await using training = openTraining(run, data, { readOnly: true })
  const { learner, loader } = training
  const path = checkpointPath(run)
  const start = existsSync(path) ? restoreLearner(path, learner) : START
  if (start === START && run.settings.initFrom !== null) initialiseFrom(learner, run.settings.initFrom)
  const from = start.epoch * loader.batches + start.batch
  if (from > failure.step)
    throw new TrexError(`the checkpoint of ${run.dir} is from after step ${failure.step}`, {
      hint: 'the run has gone on since: there is nothing to replay',
    })
  const before: { step: number; loss: number }[] = []
  for (let { epoch, batch: first } = start; epoch <= failure.epoch; epoch++, first = 0) {
    for await (const batch of loader.epoch(epoch, first)) {
      const step = epoch * loader.batches + batch.index
      if (step === failure.step) {
        const report = {
          failure,
          from,
          before: before.slice(-SHOWN),
          ...examineStep(training, batch, step, run),
        }
        batch.release()
        return report
      }
      const loss = tidy(() => training.learn(batch, step)?.loss.item())
      batch.release()
      if (loss !== undefined) before.push({ step, loss })
      yield { done: step + 1 - from, steps: failure.step + 1 - from }
    }
  }
  throw new TrexError(`step ${failure.step} does not come any more`, {
    hint: 'its images cannot be read, or failure.json is of another run',
  })
}

const SHOWN = 10

function examineStep(
  { learner, learn }: Training,
  batch: Batch,
  step: number,
  run: Run,
): Pick<ReplayReport, 'loss' | 'sameImages' | 'badWeights' | 'badWeightsAfter' | 'largestWeight' | 'output'> {
  const sameImages = sameAsKept(batch, run)
  const weights = examineWeights(learner)
  let loss = Number.NaN
  const output = watchForward(learner.model, 'model', () => {
    loss = tidy(() => learn(batch, step)?.loss.item() ?? Number.NaN)
  })
  const badWeightsAfter = examineWeights(learner).badWeights
  const seen = weights.badWeights.length ? null : output
  return { loss: String(loss), sameImages, ...weights, badWeightsAfter, output: seen }
}

/** Whether a batch has the bits of the one that failed, which were kept normalised. */
function sameAsKept({ crops, normalization }: Batch, run: Run): boolean | null {
  const path = failedBatchPath(run)
  if (!existsSync(path)) return null
  using kept = openSafetensors(path)
  return cropGroups(run.settings).every(({ size }, group) => {
    const { data } = kept.read(`crops.${group}`)
    const { buffer, byteOffset, byteLength } = normalizedCrops(crops[group]!, size, normalization)
    return Buffer.from(buffer, byteOffset, byteLength).equals(data)
  })
}

function examineWeights(learner: Learner): Pick<ReplayReport, 'badWeights' | 'largestWeight'> {
  const magnitude = ([name, tensor]: [string, Tensor]) => {
    const [least, most] = rangeOf(tensor)
    return { name, value: Math.max(-least, most) }
  }
  const isBad = ({ value }: { value: number }) => !Number.isFinite(value)
  const largest = Array.from(namedParameters(learner), magnitude)
    .filter((weight) => !isBad(weight))
    .reduce((a, b) => (b.value > a.value ? b : a), { name: 'none', value: 0 })
  const state = [...learnerState(learner), ...optimizerState(learner)]
  const badWeights = state
    .filter(([, { dtype }]) => dtype.includes('float'))
    .map(magnitude)
    .filter(isBad)
    .map(({ name }) => name)
  return { badWeights, largestWeight: largest }
}
