import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { PickleValue } from '../../../deploy/pickleValues.js'
import { quoted } from '../../../deploy/quoted.js'
import { TrexError } from '../../../errors.js'
import { below } from '../readers/below.js'
import { itemsOf, readPickle, textsOf } from '../readers/pathPickle.js'
import { type TransferData, transferSet } from '../transferSet.js'

/** Images of the five levels, in 1,000 concepts each; 50 of each concept are for testing. */
const TRAINVAL = [1_118_804, 1_115_788, 1_095_203, 1_107_128, 1_091_654]

/**
 * ImageNet-CoG (Sariyildiz et al. 2021): five levels of concepts of ImageNet-21K, ever further from those of ImageNet-1K.
 * Reading the split of all 5,000 concepts takes about a gigabyte of memory while it lasts.
 */
export const COG = TRAINVAL.map((trainval, i) =>
  transferSet(
    {
      name: `cog-l${i + 1}`,
      title: `ImageNet-CoG level ${i + 1}`,
      counts: { classes: 1000, trainval, test: 50_000 },
      split: 'published, 50 test images a concept',
      licence: "ImageNet's terms: non-commercial research",
      how: `Get the images of the 5,000 concepts from https://image-net.org (ImageNet-21K, with an account), and two pickle
files from https://europe.naverlabs.com/cog-benchmark: the levels, and the split of each concept.
ROOT/*.pkl or *.pickle     exactly these two; which is which shows by what is in them
ROOT/<paths of the split>  the images, as in n01234567/n01234567_1.JPEG
All five levels share one ROOT, called cog below a folder of all sets.`,
      needs: [],
      folder: 'cog',
      probe: 'sgd',
      multiLabel: false,
      role: 'among the 13',
    },
    (root) => readLevel(root, i),
  ),
)

interface Split {
  readonly name: string
  readonly train: readonly string[]
  readonly test: readonly string[]
}

async function readLevel(root: string, level: number): Promise<TransferData> {
  const files = (await readdir(root)).filter((name) => /\.(pkl|pickle)$/.test(name)).sort()
  if (files.length !== 2)
    throw new TrexError(`${root} has ${files.length} pickle files, expected 2: levels and splits`)
  const paths = files.map((name) => join(root, name))
  const lists = await Promise.all(paths.map((path) => readPickle(path, (value) => !(value instanceof Map))))
  if (lists[0] === lists[1])
    throw new TrexError(`${paths.join(' and ')} are not one list of levels and one dict of splits`)
  const [levels, splits] = lists[0] ? [paths[0]!, paths[1]!] : [paths[1]!, paths[0]!]
  const concepts = await readPickle(levels, (value) => conceptsOf(value, level))
  const all = await readPickle(splits, (value) => concepts.map((name) => splitOf(value, name)))
  const samples = (part: 'train' | 'test') =>
    all.flatMap((split, label) =>
      split[part].map((path) => ({ path: below(root, path, `${splits}, ${split.name}`), label })),
    )
  return { classes: concepts, trainval: samples('train'), test: samples('test') }
}

/** The concepts of a level, sorted: a label is a place among them. */
function conceptsOf(value: PickleValue, level: number): string[] {
  const levels = itemsOf(value, 'the list of levels')
  if (levels.length !== 5) throw new RangeError(`it has ${levels.length} levels, expected 5`)
  return textsOf(levels[level]!, `level ${level + 1}`).sort()
}

function splitOf(splits: PickleValue, name: string): Split {
  const split = splits instanceof Map ? splits.get(name) : undefined
  if (!(split instanceof Map)) throw new RangeError(`it has no split of ${quoted(name)}`)
  const [train, test] = ['train', 'test'].map((part) => {
    const paths = split.get(part)
    if (paths === undefined) throw new RangeError(`${quoted(name)} has no ${part} images`)
    return textsOf(paths, `${part} of ${quoted(name)}`)
  })
  return { name, train: train!, test: test! }
}
