import { join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { settingsYaml } from '../config.js'
import { checkImages } from '../data/sources/checkImages.js'
import { readImageDataset } from '../data/sources/imageFolder.js'
import type { ImageDataset } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import { readBadImages } from '../train/badImages.js'
import { disposeLearner } from '../train/learner.js'
import { resolveAuto } from '../train/precision.js'
import {
  changesSince,
  createRun,
  describeData,
  discardUntrained,
  hadCheckpoint,
  openRun,
  type Run,
  type RunData,
} from '../train/run.js'
import { train } from '../train/train.js'
import { followTraining } from './follow.js'
import { type SettingFlags, settingsOf } from './settingFlags.js'
import { onStop } from './stop.js'

/** The options of `trex train` as commander gives them. */
export interface TrainFlags extends SettingFlags {
  out?: string
  resume?: string
  printConfig?: boolean
}

/** Does what `trex train` was asked. */
export async function runTrain(dataRoot: string | undefined, flags: TrainFlags): Promise<void> {
  if (flags.resume !== undefined) return resumeTraining(flags.resume, dataRoot, flags)
  const settings = settingsOf(flags)
  if (flags.printConfig) return void process.stdout.write(settingsYaml(settings))
  if (!dataRoot)
    throw new TrexError('train needs the folder of images', { hint: 'trex train DATA --out RUN' })
  if (!flags.out)
    throw new TrexError('train needs --out, the run folder to create', { hint: 'trex train DATA --out RUN' })
  const root = resolve(dataRoot)
  const data = await readImageDataset(root, {
    valFraction: settings.validation.fraction,
    seed: settings.seed,
  })
  const resolved = { ...settings, ...resolveAuto(settings) }
  if (settings.data.onBad === 'fail') await checkImages([...data.train, ...data.val])
  await finish(createRun(flags.out, resolved, describeData('train', root, data)), data, false)
}

async function resumeTraining(
  dir: string,
  dataRoot: string | undefined,
  { resume, set, ...others }: TrainFlags,
): Promise<void> {
  const given = [...Object.keys(others), ...(set.length ? ['set'] : [])]
  if (given.length)
    throw new TrexError(`--resume takes no other settings, but --${kebab(given[0]!)} was given`, {
      hint: 'a run goes on with the settings in its config.yaml; start a new run to change them',
    })
  const run = openRun(dir)
  const { settings } = run
  if (run.data.madeBy !== 'train')
    throw new TrexError(`${dir} is a run of the demo, which is not resumed`, {
      hint: 'run the demo again, or start a run of your own with `trex train DATA --out RUN`',
    })
  const root = dataRoot ? resolve(dataRoot) : run.data.root
  const data = await readImageDataset(root, {
    valFraction: settings.validation.fraction,
    seed: settings.seed,
  })
  const found = describeData('train', root, data)
  if (!isDeepStrictEqual(found, { ...run.data, root }))
    throw new TrexError(`${root} does not hold the images that ${dir} was started with`, {
      hint: `it had ${inWords(run.data)}; it now has ${inWords(found)}, or other names of classes or files`,
    })
  const changes = changesSince(run)
  if (changes.length)
    console.error(`note: ${changes.join(', ')} since the run was started: its last digits may differ`)
  const goesOn = hadCheckpoint(run)
  if (!goesOn) console.error(`${dir} has no checkpoint yet: starting from the beginning`)
  await finish(run, data, goesOn)
}

async function finish(run: Run, data: ImageDataset, resume: boolean): Promise<void> {
  const release = onStop(() => console.error(farewell(run)))
  const ignored = Object.entries(data.ignored).map(
    ([extension, count]) => `${count} ${extension || 'without extension'}`,
  )
  console.error(`${run.dir}: ${inWords(run.data)}${ignored.length ? `; ignored: ${ignored.join(', ')}` : ''}`)
  try {
    disposeLearner(await followTraining(train(run, data, { resume })))
  } catch (error) {
    discardUntrained(run)
    throw error
  } finally {
    release()
    reportBadImages(run)
  }
  console.error(`done: ${run.dir}`)
}

/** Names the images that were left out. */
function reportBadImages({ dir }: Run): void {
  const bad = readBadImages(dir)
  if (bad.length === 0) return
  console.error(`left out: ${bad.length} image${bad.length === 1 ? '' : 's'} that cannot be read`)
  for (const { reason } of bad.slice(0, SHOWN_BAD)) console.error(`  ${reason}`)
  console.error(`the list is in ${join(dir, 'bad-images.json')}`)
}

const SHOWN_BAD = 20

/** What Ctrl-C leaves behind, and how to go on. */
function farewell(run: Run): string {
  if (discardUntrained(run)) return 'stopped before the first step: nothing is kept'
  const from = hadCheckpoint(run)
    ? 'after the last finished epoch'
    : 'from the beginning, as no epoch was finished'
  return `stopped: \`trex train --resume ${run.dir}\` goes on ${from}`
}

function inWords({ classes, trainImages, valImages }: RunData): string {
  return `${classes.length} classes, ${trainImages} training and ${valImages} validation images`
}

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
