import { join } from 'node:path'
import { settingsYaml } from '../config.js'
import { printable } from '../data/check/printable.js'
import { type BadImages, collectBadImages } from '../data/loader/badImages.js'
import { checkImages, findBadImages } from '../data/sources/checkImages.js'
import { withoutSecrets } from '../data/sources/httpUrl.js'
import type { ImageDataset } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import type { Settings } from '../settings.js'
import { settingsSchemaText } from '../settingsSchema.js'
import { type BadImageList, readBadImages, saveBadImages } from '../train/badImages.js'
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
} from '../train/run.js'
import { train } from '../train/train.js'
import { openData, placeOf } from './dataPlace.js'
import { followTraining } from './follow.js'
import { print } from './print.js'
import { imagesInWords, openRunData } from './runData.js'
import { type SettingFlags, settingsOf } from './settingFlags.js'
import { onStop, Stopped, stopGently } from './stop.js'

/** The options of `trex train` as commander gives them. */
export interface TrainFlags extends SettingFlags {
  out?: string
  resume?: string
  printConfig?: boolean
  json?: boolean
  printSchema?: boolean
}

/** Does what `trex train` was asked. */
export async function runTrain(dataRoot: string | undefined, flags: TrainFlags): Promise<void> {
  if (flags.printSchema) return print(settingsSchemaText().trimEnd())
  if (flags.resume !== undefined) return resumeTraining(flags.resume, dataRoot, flags)
  if (flags.json && !flags.printConfig)
    throw new TrexError('--json goes with --print-config', {
      hint: 'RUN/metrics.jsonl has what a run measures',
    })
  const settings = settingsOf(flags)
  if (flags.printConfig)
    return print(flags.json ? JSON.stringify(settings, null, 2) : settingsYaml(settings).trimEnd())
  if (!dataRoot) throw new TrexError('train needs DATA, the images', { hint: 'trex train DATA --out RUN' })
  if (!flags.out)
    throw new TrexError('train needs --out, the run folder to create', { hint: 'trex train DATA --out RUN' })
  const root = placeOf(dataRoot)
  const data = await openData(root, settings)
  const resolved = { ...settings, ...resolveAuto(settings) }
  const bad = await checkBefore(data, settings)
  const run = createRun(flags.out, resolved, describeData('train', withoutSecrets(root), data))
  saveBadImages(run, bad)
  await finish(run, data, { created: true, resume: false })
}

/** Looks for what is no image at all before any work is done; the images that will be left out. */
async function checkBefore({ train, val }: ImageDataset, { data }: Settings): Promise<BadImages> {
  const samples = [...train, ...val]
  const bad = collectBadImages(data)
  if (data.onBad === 'fail') {
    await checkImages(samples)
    return bad
  }
  const found = await findBadImages(samples)
  for (const { error } of found) bad.add(error)
  if (found.length > 0)
    console.error(`${found.length} of ${samples.length} images cannot be read and will be left out`)
  return bad
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
  if (run.data.madeBy !== 'train')
    throw new TrexError(`${dir} is a run of the demo, which is not resumed`, {
      hint: 'run the demo again, or start a run of your own with `trex train DATA --out RUN`',
    })
  const data = await openRunData(run, dataRoot)
  const changes = changesSince(run)
  if (changes.length)
    console.error(`note: ${changes.join(', ')} since the run was started: its last digits may differ`)
  const goesOn = hadCheckpoint(run)
  if (!goesOn) console.error(`${dir} has no checkpoint yet: starting from the beginning`)
  await finish(run, data, { created: false, resume: goesOn })
}

/** Trains to the end; a run that was `created` here, and ends before its first step, leaves nothing. */
async function finish(
  run: Run,
  data: ImageDataset,
  { created, resume }: { created: boolean; resume: boolean },
): Promise<void> {
  const discarded = () => created && discardUntrained(run)
  const release = onStop(() => console.error(farewell(run, discarded())))
  const ignored = Object.entries(data.ignored).map(
    ([extension, count]) => `${count} ${extension || 'without extension'}`,
  )
  console.error(
    `${run.dir}: ${imagesInWords(run.data)}${ignored.length ? `; ignored: ${ignored.join(', ')}` : ''}`,
  )
  using stop = stopGently()
  stop.signal.addEventListener('abort', () =>
    console.error('\nstopping after this step; the same signal again stops at once, without saving'),
  )
  try {
    disposeLearner(await followTraining(train(run, data, { resume, signal: stop.signal })))
  } catch (error) {
    const nothingKept = discarded()
    if (!(error instanceof Stopped)) throw error
    console.error(farewell(run, nothingKept))
    throw nothingKept ? new Stopped(error.by, false) : error
  } finally {
    release()
    reportBadImages(run)
  }
  console.error(`done: ${run.dir}`)
}

/** Names the images that were left out. */
function reportBadImages({ dir }: Run): void {
  let bad: BadImageList
  try {
    bad = readBadImages(dir)
  } catch (error) {
    console.error(`note: ${(error as Error).message}`) // the error that ended the run comes after it
    return
  }
  if (bad.length === 0) return
  console.error(`left out: ${bad.length} image${bad.length === 1 ? '' : 's'} that cannot be read`)
  for (const { reason } of bad.slice(0, SHOWN_BAD)) console.error(`  ${printable(reason)}`)
  console.error(`the list is in ${join(dir, 'bad-images.json')}`)
}

const SHOWN_BAD = 20

/** What a stop leaves behind, and how to go on. */
function farewell(run: Run, nothingKept: boolean): string {
  if (nothingKept) return 'stopped before the first step: nothing is kept'
  const from = hadCheckpoint(run)
    ? 'from the last checkpoint'
    : 'from the beginning, as there is no checkpoint yet'
  return `stopped: \`trex train --resume ${run.dir}\` goes on ${from}`
}

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
