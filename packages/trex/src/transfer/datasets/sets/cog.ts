import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { PickleValue } from '../../../checkpoints/pickleValues.js'
import { quoted } from '../../../checkpoints/quoted.js'
import { TrexError } from '../../../errors.js'
import { below } from '../readers/below.js'
import { namesIn } from '../readers/namesIn.js'
import { itemsOf, readPickle, textsOf } from '../readers/pathPickle.js'
import { type TransferData, transferSet } from '../transferSet.js'

/** Images of the five levels, in 1,000 concepts each; 50 of each concept are for testing. */
const TRAINVAL = [1_118_804, 1_115_788, 1_095_203, 1_107_128, 1_091_654]

const MAX_PATHS = 1 << 22

/**
 * ImageNet-CoG (Sariyildiz et al. 2021): five levels of concepts of ImageNet-21K, ever further from those of ImageNet-1K.
 * Reading the split of all 5,000 concepts takes one to two gigabytes of memory while it lasts.
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
ROOT/*.pkl or *.pickle     exactly these two; the larger is the split
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
  const files = (await namesIn(root)).filter((name) => /\.(pkl|pickle)$/.test(name))
  if (files.length !== 2)
    throw new TrexError(`${root} has ${files.length} pickle files, expected 2: levels and splits`)
  const sized = await Promise.all(
    files.map(async (name) => ({ path: join(root, name), size: (await stat(join(root, name))).size })),
  )
  // Levels are names of concepts alone; splits have these and the paths of all images.
  const [levels, splits] = sized.sort((a, b) => a.size - b.size).map(({ path }) => path)
  const concepts = await readPickle(levels!, (value) => conceptsOf(value, level))
  let paths = 0
  const all = await readPickle(splits!, (value) =>
    concepts.map((name) => {
      const split = splitOf(value, name)
      paths += split.train.length + split.test.length // a pickle may name the same long array for all
      if (paths > MAX_PATHS) throw new RangeError(`a level has more than ${MAX_PATHS} images`)
      return split
    }),
  )
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
