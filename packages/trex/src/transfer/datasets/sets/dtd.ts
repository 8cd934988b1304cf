import { join } from 'node:path'
import { readPathLists } from '../readers/pathLists.js'
import { transferSet } from '../transferSet.js'

/** Describable Textures (Cimpoi et al. 2014), the first of its ten splits. */
export const DTD = transferSet(
  {
    name: 'dtd',
    title: 'Describable Textures',
    counts: { classes: 47, trainval: 3760, test: 1880 },
    split: 'train1 + val1, test1',
    licence: 'research use',
    how: `Get dtd-r1.0.1.tar.gz from https://www.robots.ox.ac.uk/~vgg/data/dtd and unpack it.
ROOT/images/<class>/*.jpg
ROOT/labels/train1.txt, val1.txt, test1.txt   (CLASS/IMAGE)`,
    needs: ['images', 'labels/train1.txt', 'labels/val1.txt', 'labels/test1.txt'],
    folder: 'dtd',
    probe: 'lbfgs',
    multiLabel: false,
    role: 'among the 13',
  },
  (root) =>
    readPathLists({
      images: join(root, 'images'),
      trainval: [join(root, 'labels/train1.txt'), join(root, 'labels/val1.txt')],
      test: [join(root, 'labels/test1.txt')],
    }),
)
