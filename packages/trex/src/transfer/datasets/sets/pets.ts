import { join } from 'node:path'
import { TrexError } from '../../../errors.js'
import { below } from '../readers/below.js'
import { readLines, wholeNumber } from '../readers/textLines.js'
import { transferSet } from '../transferSet.js'

const CLASSES = 37

/** Oxford-IIIT Pets (Parkhi et al. 2012). A breed's name is that of its images without their number. */
export const PETS = transferSet(
  {
    name: 'pets',
    title: 'Oxford-IIIT Pets',
    counts: { classes: CLASSES, trainval: 3680, test: 3669 },
    split: 'published',
    licence: 'CC BY-SA 4.0',
    how: `Get images.tar.gz and annotations.tar.gz from https://www.robots.ox.ac.uk/~vgg/data/pets and unpack both.
ROOT/images/*.jpg
ROOT/annotations/trainval.txt, test.txt   (NAME CLASS SPECIES BREED)`,
    needs: ['images', 'annotations/trainval.txt', 'annotations/test.txt'],
    folder: 'pets',
    probe: 'lbfgs',
    multiLabel: false,
    role: 'among the 13',
  },
  async (root) => {
    const names: string[] = []
    const part = async (list: string) => {
      const file = join(root, 'annotations', list)
      return (await readLines(file)).map((line, i) => {
        const where = `${file}:${i + 1}`
        const [image = '', number] = line.split(' ')
        const label = wholeNumber(number, 1, CLASSES, where) - 1
        const breed = image.replace(/_\d+$/, '')
        names[label] ??= breed
        if (names[label] !== breed)
          throw new TrexError(`${where}: class ${label + 1} is ${breed} here and ${names[label]} before`)
        return { path: below(join(root, 'images'), `${image}.jpg`, where), label }
      })
    }
    const [trainval, test] = [await part('trainval.txt'), await part('test.txt')]
    const absent = Array.from(names).indexOf(undefined as never)
    if (absent >= 0) throw new TrexError(`${join(root, 'annotations')} has no image of class ${absent + 1}`)
    return { classes: names, trainval, test }
  },
)
