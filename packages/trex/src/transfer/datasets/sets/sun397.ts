import { join } from 'node:path'
import { readPathLists } from '../readers/pathLists.js'
import { readLines } from '../readers/textLines.js'
import { transferSet } from '../transferSet.js'

/** SUN397 (Xiao et al. 2010), the first of its ten splits. */
export const SUN397 = transferSet(
  {
    name: 'sun397',
    title: 'SUN397',
    counts: { classes: 397, trainval: 19_850, test: 19_850 },
    split: 'split 1',
    licence: 'none stated',
    how: `Get SUN397.tar.gz and Partitions.zip from https://vision.princeton.edu/projects/2010/SUN and unpack both.
ROOT/SUN397/<letter>/<class>[/<sub>]/*.jpg
ROOT/ClassName.txt, Training_01.txt, Testing_01.txt   (/LETTER/CLASS/IMAGE)`,
    needs: ['SUN397', 'ClassName.txt', 'Training_01.txt', 'Testing_01.txt'],
    folder: 'sun397',
    probe: 'lbfgs',
    multiLabel: false,
    role: 'among the 13',
  },
  async (root) =>
    readPathLists({
      images: join(root, 'SUN397'),
      trainval: [join(root, 'Training_01.txt')],
      test: [join(root, 'Testing_01.txt')],
      classes: (await readLines(join(root, 'ClassName.txt'))).map((line) => line.replace(/^\//, '')),
    }),
)
