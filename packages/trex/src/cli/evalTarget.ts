import { TrexError } from '../errors.js'
import type { EvaluatedModel } from '../evaluate/readImages.js'
import type { Settings } from '../settings.js'
import { describeInit } from '../train/initFrom.js'
import { createLearner, disposeLearner } from '../train/learner.js'
import { restoreLearner } from '../train/learnerCheckpoint.js'
import { openEncoder } from '../train/openEncoder.js'
import { resolvePrecision } from '../train/precision.js'
import type { Run } from '../train/run.js'
import { findModel } from './findModel.js'
import type { SettingFlags } from './settingFlags.js'

/** What `trex eval` was asked to evaluate; `model` is loaded when the data are known to be there. */
export interface EvalTarget {
  readonly run: Run | null
  readonly settings: Settings
  /** Path of the weights. */
  readonly weights: string
  load(): { readonly model: EvaluatedModel; readonly epoch: number | null } & Disposable
}

/**
 * Finds the run or the weights at a path, with their settings.
 * @throws TrexError as `findModel` does, and for an untrained encoder.
 */
export function evalTarget(path: string, checkpoint: string | undefined, flags: SettingFlags): EvalTarget {
  const { run, settings, weights } = findModel(path, checkpoint, flags)
  if (weights === null)
    throw new TrexError(`${path} is an encoder without training`, {
      hint: 'trex extract takes it; trex eval evaluates a run or weights',
    })
  const load = () => (run ? loadRun(run, settings, weights) : loadWeights(settings, weights))
  return { run, settings, weights, load }
}

function loadRun(run: Run, settings: Settings, weights: string): ReturnType<EvalTarget['load']> {
  const precision = resolvePrecision(settings)
  const learner = createLearner(settings, run.data.classes.length, precision)
  try {
    const { epoch } = restoreLearner(weights, learner)
    const { model, prototypes } = learner
    const classifier = { model, prototypes, classes: run.data.classes }
    return {
      model: { encoder: model.encoder, precision, classifier },
      epoch,
      [Symbol.dispose]: () => disposeLearner(learner),
    }
  } catch (error) {
    disposeLearner(learner)
    throw error
  }
}

function loadWeights(settings: Settings, weights: string): ReturnType<EvalTarget['load']> {
  const { encoder, precision, loaded, ...opened } = openEncoder(settings, weights)
  if (loaded) for (const line of describeInit(loaded)) console.error(line)
  return {
    model: { encoder, precision, classifier: null },
    epoch: null,
    [Symbol.dispose]: opened[Symbol.dispose],
  }
}
