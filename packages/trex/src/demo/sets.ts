import { readImageDataset, readImageFolder, splitTrainVal } from '../data/sources/imageFolder.js'
import type { ImageDataset, Sample } from '../data/sources/sample.js'
import type { ReportLicence } from '../report/report.js'
import { rngFor } from '../rng.js'
import { prepareEmoji } from './emoji.js'
import { prepareMnist } from './mnist.js'

/** A set that no encoder saw: a linear probe is fitted on `train` and scored on `test`. */
export interface TransferSet {
  name: string
  /** What the set asks, in a few words. */
  about: string
  classes: readonly string[]
  train: readonly Sample[]
  test: readonly Sample[]
}

/** Everything the demo trains and tests on. */
export interface DemoSets {
  title: string
  subtitle: string
  /** The folder that all image paths are recorded relative to. */
  root: string
  /** What the validation images are. */
  validationName: string
  data: ImageDataset
  transfer: TransferSet[]
  licences: ReportLicence[]
}

/** How many emoji the demo trains on and keeps unseen, and their size in pixels. */
const EMOJI = {
  size: 64,
  seenClasses: 100,
  unseenClasses: 200,
  heldOutStyle: 'emojione',
  seed: 22,
} as const
const MNIST = { perClassTrain: 50, perClassTest: 200 } as const

/** The emoji demo: five styles to train on, the sixth to validate; transfer to other emoji, their groups and MNIST. */
export async function emojiSets(
  cacheDir: string,
  onProgress: (done: number, total: number) => void,
): Promise<DemoSets> {
  const emoji = await prepareEmoji(cacheDir, { ...EMOJI, onProgress })
  const train = await readImageFolder(emoji.train)
  const val = await readImageFolder(emoji.val)
  const held = emoji.styles.find(({ style }) => style === EMOJI.heldOutStyle)!.name
  const { counts } = emoji
  return {
    root: cacheDir,
    title: 'Emoji, drawn six times',
    subtitle:
      `Class = emoji. ${counts.seenClasses} emoji in five styles to train on, the same emoji in a style never seen ` +
      `(${held}) to validate, and sets never seen to transfer to.`,
    validationName: 'unseen style',
    data: { classes: train.classes, train: train.samples, val: val.samples, ignored: {} },
    transfer: [
      await folderPair(
        'unseen emoji',
        `${counts.unseenClasses} emoji never seen, tested in the style never seen`,
        emoji.unseen,
      ),
      await folderPair(
        'emoji groups',
        `${counts.groupClasses} Unicode groups, tested on other emoji than fitted on`,
        emoji.groups,
      ),
      await mnistSet(cacheDir),
    ],
    licences: [
      ...emoji.styles.map(({ name, ...rest }) => licence({ what: name, ...rest, shown: true })),
      await mnistLicence(cacheDir),
    ],
  }
}

/** The same on a user's class folders: a quarter of the classes (of 8 or more) is kept unseen for transfer. */
export async function folderSets(
  root: string,
  cacheDir: string,
  valFraction: number,
  seed: number,
): Promise<DemoSets> {
  const all = await readImageDataset(root, { valFraction, seed })
  const order = rngFor(seed, all.classes.length).permutation(all.classes.length)
  const unseenCount = all.classes.length >= 8 ? Math.floor(all.classes.length / 4) : 0
  const unseen = [...order.subarray(0, unseenCount)].sort((a, b) => a - b)
  const seen = [...order.subarray(unseenCount)].sort((a, b) => a - b)
  const transfer = [await mnistSet(cacheDir)]
  if (unseenCount >= 2) {
    const images = pick([...all.train, ...all.val], unseen)
    const { train, val } = splitTrainVal(images, 0.5, seed)
    const classes = unseen.map((label) => all.classes[label]!)
    transfer.unshift({
      name: 'unseen classes',
      about: `${unseenCount} of your classes, kept out of training`,
      classes,
      train,
      test: val,
    })
  }
  return {
    root,
    title: root,
    subtitle: `${seen.length} classes to train on${unseenCount ? `, ${unseenCount} kept unseen for transfer` : ''}.`,
    validationName: 'validation images',
    data: {
      classes: seen.map((label) => all.classes[label]!),
      train: pick(all.train, seen),
      val: pick(all.val, seen),
      ignored: all.ignored,
    },
    transfer,
    licences: [await mnistLicence(cacheDir)],
  }
}

/** The samples of some classes, their labels counted anew. */
function pick(samples: readonly Sample[], labels: readonly number[]): Sample[] {
  const renumbered = new Map(labels.map((label, i) => [label, i]))
  return samples.flatMap(({ path, label }) => {
    const renamed = renumbered.get(label)
    return renamed === undefined ? [] : [{ path, label: renamed }]
  })
}

async function folderPair(
  name: string,
  about: string,
  folders: { train: string; test: string },
): Promise<TransferSet> {
  const train = await readImageFolder(folders.train)
  const test = await readImageFolder(folders.test)
  return { name, about, classes: train.classes, train: train.samples, test: test.samples }
}

async function mnistSet(cacheDir: string): Promise<TransferSet> {
  return folderPair('MNIST', 'handwritten digits', await prepareMnist(cacheDir, MNIST))
}

async function mnistLicence(cacheDir: string): Promise<ReportLicence> {
  const { credit } = await prepareMnist(cacheDir, MNIST)
  return licence({ what: credit.name, ...credit, shown: false })
}

function licence({ what, licence, author, url, shown }: ReportLicence): ReportLicence {
  return { what, licence, author, url, shown }
}
