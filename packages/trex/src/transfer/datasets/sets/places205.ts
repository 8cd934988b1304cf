import { join } from 'node:path'
import { TrexError } from '../../../errors.js'
import { below } from '../readers/below.js'
import { readLines, wholeNumber } from '../readers/textLines.js'
import { transferSet } from '../transferSet.js'

const CLASSES = 205
const IMAGES = 'data/vision/torralba/deeplearning/images256'
const LISTS = 'trainvalsplit_places205'

/** Places205 (Zhou et al. 2014). A class's name is the folder of its images. */
export const PLACES205 = transferSet(
  {
    name: 'places205',
    title: 'Places205',
    counts: { classes: CLASSES, trainval: 2_448_873, test: 20_500 },
    split: 'train, and val as test',
    licence: 'non-commercial research and education',
    how: `Get imagesPlaces205_resize.tar.gz and trainvalsplit_places205.tar.gz from http://places.csail.mit.edu and unpack both.
ROOT/${IMAGES}/<letter>/<class>[/<sub>]/*.jpg
ROOT/${LISTS}/train_places205.csv, val_places205.csv   (LETTER/CLASS/IMAGE LABEL)`,
    needs: [IMAGES, `${LISTS}/train_places205.csv`, `${LISTS}/val_places205.csv`],
    folder: 'places205',
    probe: 'sgd',
    multiLabel: false,
    role: 'further',
  },
  async (root) => {
    const names: string[] = []
    const images = join(root, IMAGES)
    const part = async (list: string) => {
      const file = join(root, LISTS, list)
      return (await readLines(file)).map((line, i) => {
        const where = `${file}:${i + 1}`
        const space = line.lastIndexOf(' ')
        const label = wholeNumber(line.slice(space + 1), 0, CLASSES - 1, where)
        const image = line.slice(0, Math.max(0, space))
        const folder = image.slice(0, Math.max(0, image.lastIndexOf('/')))
        names[label] ??= folder
        if (names[label] !== folder)
          throw new TrexError(`${where}: class ${label} is ${folder} here and ${names[label]} before`)
        return { path: below(images, image, where), label }
      })
    }
    const [trainval, test] = [await part('train_places205.csv'), await part('val_places205.csv')]
    return { classes: Array.from(names, (name, i) => name ?? `class ${i}`), trainval, test }
  },
)
