import { resolve } from 'node:path'
import { type PartialSettings, resolveSettings, settingsYaml } from '../config.js'
import { type ImageDataset, readImageDataset } from '../data/imageFolder.js'
import { TrexError } from '../errors.js'
import { disposeLearner } from '../train/learner.js'
import { createRun, openRun, type Run } from '../train/run.js'
import { train } from '../train/train.js'
import { followTraining } from './follow.js'

/** The options of `trex train` as commander gives them. */
export interface TrainFlags {
  recipe?: string
  out?: string
  resume?: string
  config?: string
  set: string[]
  printConfig?: boolean
  encoder?: PartialSettings['encoder']
  imageSize?: number
  epochs?: number
  batchSize?: number
  warmupEpochs?: number
  seed?: number
  valFraction?: number
  workers?: number
  device?: PartialSettings['device']
  precision?: PartialSettings['precision']
}

/** Does what `trex train` was asked. */
export async function runTrain(dataRoot: string | undefined, flags: TrainFlags): Promise<void> {
  if (flags.resume) return resumeTraining(flags.resume, dataRoot)
  const settings = resolveSettings({
    recipe: flags.recipe,
    configFile: flags.config,
    flags: settingFlags(flags),
    sets: flags.set,
  })
  if (flags.printConfig) return void process.stdout.write(settingsYaml(settings))
  if (!dataRoot)
    throw new TrexError('train needs the folder of images', { hint: 'trex train DATA --out RUN' })
  if (!flags.out) throw new TrexError('train needs --out, the run folder to create')
  const root = resolve(dataRoot)
  const data = await readImageDataset(root, {
    valFraction: settings.validation.fraction,
    seed: settings.seed,
  })
  const { classes, train: images, val } = data
  console.error(
    `${root}: ${classes.length} classes, ${images.length} training and ${val.length} validation images`,
  )
  const run = createRun(flags.out, settings, {
    root,
    classes,
    trainImages: images.length,
    valImages: val.length,
  })
  await finish(run, data, false)
}

async function resumeTraining(dir: string, dataRoot: string | undefined): Promise<void> {
  const run = openRun(dir)
  const { settings } = run
  const root = dataRoot ? resolve(dataRoot) : run.data.root
  const data = await readImageDataset(root, {
    valFraction: settings.validation.fraction,
    seed: settings.seed,
  })
  const same =
    `${data.classes}` === `${run.data.classes}` &&
    data.train.length === run.data.trainImages &&
    data.val.length === run.data.valImages
  if (!same)
    throw new TrexError(`${root} does not hold the images that ${dir} was started with`, {
      hint: `it had ${run.data.classes.length} classes, ${run.data.trainImages} training and ${run.data.valImages} validation images`,
    })
  await finish(run, data, true)
}

async function finish(run: Run, data: ImageDataset, resume: boolean): Promise<void> {
  const learner = await followTraining(train(run, data, { resume }))
  disposeLearner(learner)
  console.error(`done: ${run.dir}`)
}

/** Flags as settings; those not given stay undefined. */
function settingFlags(flags: TrainFlags): PartialSettings {
  const { encoder, imageSize, epochs, batchSize, seed, workers, device, precision } = flags
  return {
    encoder,
    imageSize,
    epochs,
    batchSize,
    seed,
    workers,
    device,
    precision,
    optimizer: { warmupEpochs: flags.warmupEpochs },
    validation: { fraction: flags.valFraction },
  }
}
