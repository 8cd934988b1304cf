import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type PartialSettings, resolveSettings } from '../config.js'
import { TrexError } from '../errors.js'
import { isViT, type Settings } from '../settings.js'
import { type RecognisedEncoder, recogniseEncoder } from '../train/recogniseEncoder.js'
import { openRun, type Run } from '../train/run.js'
import { runCheckpoint } from '../train/runCheckpoint.js'
import { type SettingFlags, settingsGiven, settingsOf } from './settingFlags.js'

/** A model that MODEL of the command line names, not loaded yet. */
export interface FoundModel {
  readonly run: Run | null
  readonly settings: Settings
  /** Path of the weights; null: an untrained encoder was asked for. */
  readonly weights: string | null
  /** The side of the images it is for, in pixels; null where weights do not tell. */
  readonly imageSize: number | null
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
 * compute, or those that describe the weights, whose encoder is recognised where no flag names it. `random:ENCODER` is
 * an untrained one.
 * @throws TrexError when there is neither, a run has no such checkpoint, flags contradict the run, or the encoder of
 * weights is not recognised.
 */
export function findModel(path: string, checkpoint: string | undefined, flags: SettingFlags): FoundModel {
  const random = /^random:(.+)$/.exec(path)?.[1]
  if (random !== undefined) return untrained(random, checkpoint, flags)
  if (!existsSync(path))
    throw new TrexError(`there is no run or file ${path}`, {
      hint: 'give the folder that `trex train --out` made, or encoder weights as .safetensors, .pth, .npz or .onnx',
    })
  return statSync(path).isDirectory() ? ofRun(path, checkpoint, flags) : ofWeights(path, checkpoint, flags)
}

function ofRun(dir: string, checkpoint: string | undefined, flags: SettingFlags): FoundModel {
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
  return { run, settings, weights: runCheckpoint(dir, checkpoint), imageSize: settings.globalCrops.size }
}

/** A setting of the model that differs from the run's; the size of the global crops is that of a position embedding. */
function changedModel(settings: Settings, trained: Settings): string | undefined {
  const changed = OF_MODEL.find((key) => !isDeepStrictEqual(settings[key], trained[key]))
  const otherPositions = isViT(trained.encoder) && settings.globalCrops.size !== trained.globalCrops.size
  return changed ?? (otherPositions ? 'globalCrops.size' : undefined)
}

function ofWeights(path: string, checkpoint: string | undefined, flags: SettingFlags): FoundModel {
  refuseCheckpoint(path, 'a file', checkpoint)
  if (saysEncoder(flags)) {
    const settings = settingsOf(flags)
    return { run: null, settings, weights: path, imageSize: settings.globalCrops.size }
  }
  const found = recogniseEncoder(path)
  const imageSize = flags.imageSize ?? found.description?.preprocess.crop ?? found.kind.imageSize
  const settings = resolveSettings({
    recipe: flags.recipe,
    flags: { ...settingsGiven(flags), ...recognised(found, imageSize) } as PartialSettings,
    sets: flags.set,
  })
  const known = imageSize !== null
  return { run: null, settings, weights: path, imageSize: known ? settings.globalCrops.size : null }
}

/** Whether flags, the configuration or single settings say what the encoder is. */
const saysEncoder = ({ encoder, config, set }: SettingFlags): boolean =>
  encoder !== undefined || config !== undefined || set.some((item) => item.startsWith('encoder='))

/** What the weights tell, where no flag does. */
function recognised(
  { kind, description }: RecognisedEncoder,
  imageSize: SettingFlags['imageSize'] | null,
): object {
  const { encoder, stem, patchSize } = kind
  const { mean, std } = description?.preprocess ?? {}
  const pooling = description?.vit?.pooling
  return {
    encoder,
    ...(stem && { stem }),
    ...(patchSize && { vit: { patchSize, ...(pooling && { pooling }) } }),
    ...(mean && { normalization: { mean, std } }),
    imageSize: imageSize ?? undefined,
  }
}

function untrained(encoder: string, checkpoint: string | undefined, flags: SettingFlags): FoundModel {
  refuseCheckpoint(`random:${encoder}`, 'untrained', checkpoint)
  if (flags.encoder !== undefined)
    throw new TrexError(`random:${encoder} names its encoder`, { hint: 'leave out --encoder' })
  const settings = settingsOf({ ...flags, encoder })
  return { run: null, settings, weights: null, imageSize: settings.globalCrops.size }
}

function refuseCheckpoint(path: string, what: string, checkpoint: string | undefined): void {
  if (checkpoint !== undefined)
    throw new TrexError(`--checkpoint is for runs, and ${path} is ${what}`, { hint: 'leave it out' })
}
