import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { resolveSettings } from '../config.js'
import { TrexError } from '../errors.js'
import type { EvaluatedModel } from '../evaluate/readImages.js'
import { createEncoder } from '../method/encoder.js'
import { isViT, type Settings } from '../settings.js'
import { describeInit, loadEncoder } from '../train/initFrom.js'
import { createLearner, disposeLearner } from '../train/learner.js'
import { restoreLearner } from '../train/learnerCheckpoint.js'
import { resolvePrecision } from '../train/precision.js'
import { openRun, type Run } from '../train/run.js'
import { type SettingFlags, settingsGiven, settingsOf } from './settingFlags.js'

/** What `trex eval` was asked to evaluate; `model` is loaded when the data are known to be there. */
export interface EvalTarget {
  readonly run: Run | null
  readonly settings: Settings
  /** Path of the weights. */
  readonly weights: string
  load(): { readonly model: EvaluatedModel; readonly epoch: number | null } & Disposable
}

/** Flags of weights that a run knows by itself. */
const OF_WEIGHTS = ['recipe', 'config', 'encoder', 'imageSize', 'seed'] as const
/** Settings that a run's model was built with. */
const OF_MODEL = [
  'recipe',
  'imageSize',
  'encoder',
  'stem',
  'vit',
  'projector',
  'temperature',
  'onlineClassMeans',
] as const

/**
 * Finds the run or the weights at a path, with their settings: those of the run under the flags that say how to read and
 * compute, or those that describe the weights.
 * @throws TrexError when there is neither, a run has no such checkpoint, or flags contradict the run.
 */
export function evalTarget(path: string, checkpoint: string | undefined, flags: SettingFlags): EvalTarget {
  if (!existsSync(path))
    throw new TrexError(`there is no run or file ${path}`, {
      hint: 'give the folder that `trex train --out` made, or encoder weights as .safetensors or .pth',
    })
  return statSync(path).isDirectory() ? ofRun(path, checkpoint, flags) : ofWeights(path, checkpoint, flags)
}

function ofRun(dir: string, checkpoint: string | undefined, flags: SettingFlags): EvalTarget {
  const run = openRun(dir)
  const [wrong] = OF_WEIGHTS.filter((name) => flags[name] !== undefined)
  if (wrong)
    throw new TrexError(
      `--${wrong === 'imageSize' ? 'image-size' : wrong} is for weights: ${dir} is a run, which has its settings`,
      {
        hint: 'leave it out; --set validation.resize=... and the like change how images are read',
      },
    )
  const configFile = join(dir, 'config.yaml')
  const settings = resolveSettings({ configFile, flags: settingsGiven(flags), sets: flags.set })
  const changed = changedModel(settings, run.settings)
  if (changed)
    throw new TrexError(`--set changes ${changed}, with which ${dir} was trained`, {
      hint: 'leave it out: the model is that of the run',
    })
  const weights = checkpointOf(dir, checkpoint)
  return {
    run,
    settings,
    weights,
    load() {
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
    },
  }
}

/** A setting of the model that differs from the run's; the size of the global crops is that of a position embedding. */
function changedModel(settings: Settings, trained: Settings): string | undefined {
  const changed = OF_MODEL.find((key) => !isDeepStrictEqual(settings[key], trained[key]))
  const otherPositions = isViT(trained.encoder) && settings.globalCrops.size !== trained.globalCrops.size
  return changed ?? (otherPositions ? 'globalCrops.size' : undefined)
}

/** The file of a checkpoint that is given by name or path: by default the best, or the last if no best is kept. */
function checkpointOf(dir: string, asked: string | undefined): string {
  const folder = join(dir, 'checkpoints')
  const named = (name: string) => join(folder, `${name}.safetensors`)
  if (asked === undefined) return [named('best'), named('last')].find(existsSync) ?? missing(dir, 'last')
  return (
    [named(asked), asked, join(folder, asked)].find((path) => existsSync(path) && statSync(path).isFile()) ??
    missing(dir, asked)
  )
}

function missing(dir: string, asked: string): never {
  const folder = join(dir, 'checkpoints')
  const there = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.safetensors')) : []
  const names = there.map((name) => name.replace('.safetensors', '')).join(', ')
  throw new TrexError(`${dir} has no checkpoint ${asked}`, {
    hint: names ? `it has ${names}` : `it has none yet: \`trex train --resume ${dir}\` goes on with it`,
  })
}

function ofWeights(path: string, checkpoint: string | undefined, flags: SettingFlags): EvalTarget {
  if (checkpoint !== undefined)
    throw new TrexError(`--checkpoint is for runs, and ${path} is a file`, { hint: 'leave it out' })
  const settings = settingsOf(flags)
  return {
    run: null,
    settings,
    weights: path,
    load() {
      const precision = resolvePrecision(settings)
      const { stem, vit, globalCrops } = settings
      const encoder = createEncoder(settings.encoder, { stem, vit, imageSize: globalCrops.size })
      try {
        for (const line of describeInit(loadEncoder(encoder, path))) console.error(line)
        const memoryFormat = settings.channelsLast ? 'channelsLast' : 'contiguous'
        encoder.to({ device: precision.device, memoryFormat })
      } catch (error) {
        encoder.dispose()
        throw error
      }
      return {
        model: { encoder, precision, classifier: null },
        epoch: null,
        [Symbol.dispose]: () => encoder.dispose(),
      }
    },
  }
}
