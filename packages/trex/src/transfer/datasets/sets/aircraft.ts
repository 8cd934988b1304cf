import { join } from 'node:path'
import { below } from '../readers/below.js'
import { labelOf, labelsOf, readLines } from '../readers/textLines.js'
import { transferSet } from '../transferSet.js'

/** FGVC Aircraft (Maji et al. 2013), by variant. */
export const AIRCRAFT = transferSet(
  {
    name: 'aircraft',
    title: 'FGVC Aircraft',
    counts: { classes: 100, trainval: 6667, test: 3333 },
    split: 'published',
    licence: 'non-commercial research',
    how: `Get fgvc-aircraft-2013b.tar.gz from https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft and unpack it.
ROOT/data/images/<7 digits>.jpg
ROOT/data/variants.txt
ROOT/data/images_variant_trainval.txt, images_variant_test.txt   (ID VARIANT)`,
    needs: [
      'data/images',
      'data/variants.txt',
      'data/images_variant_trainval.txt',
      'data/images_variant_test.txt',
    ],
    folder: 'aircraft',
    probe: 'lbfgs',
    multiLabel: false,
    role: 'among the 13',
  },
  async (root) => {
    const data = join(root, 'data')
    const classes = await readLines(join(data, 'variants.txt'))
    const labels = labelsOf(classes)
    const part = async (name: string) => {
      const file = join(data, name)
      return (await readLines(file)).map((line, i) => {
        const where = `${file}:${i + 1}`
        const space = line.indexOf(' ') // a variant's name may hold spaces itself
        const path = below(join(data, 'images'), `${line.slice(0, space)}.jpg`, where)
        return { path, label: labelOf(labels, line.slice(space + 1), where) }
      })
    }
    return {
      classes,
      trainval: await part('images_variant_trainval.txt'),
      test: await part('images_variant_test.txt'),
    }
  },
)
