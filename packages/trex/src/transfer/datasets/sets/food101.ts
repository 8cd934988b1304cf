import { join } from 'node:path'
import { readPathLists } from '../readers/pathLists.js'
import { transferSet } from '../transferSet.js'

/** Food-101 (Bossard et al. 2014). */
export const FOOD101 = transferSet(
  {
    name: 'food101',
    title: 'Food-101',
    counts: { classes: 101, trainval: 75_750, test: 25_250 },
    split: 'published',
    licence: 'images of Foodspotting; research use',
    how: `Get food-101.tar.gz from https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101 and unpack it.
ROOT/images/<class>/<id>.jpg
ROOT/meta/train.txt, test.txt   (CLASS/ID)`,
    needs: ['images', 'meta/train.txt', 'meta/test.txt'],
    folder: 'food101',
    probe: 'lbfgs',
    multiLabel: false,
    role: 'among the 13',
  },
  (root) =>
    readPathLists({
      images: join(root, 'images'),
      trainval: [join(root, 'meta/train.txt')],
      test: [join(root, 'meta/test.txt')],
      suffix: '.jpg',
    }),
)
