import { join } from 'node:path'
import { readMatFile } from '../readers/matFile.js'
import { matNumbersOf } from '../readers/matValues.js'
import { transferSet } from '../transferSet.js'

const CLASSES = 102

/** Oxford Flowers (Nilsback and Zisserman 2008). Its files do not name the classes, which are called 1 to 102. */
export const FLOWERS = transferSet(
  {
    name: 'flowers',
    title: 'Oxford 102 Flowers',
    counts: { classes: CLASSES, trainval: 2040, test: 6149 },
    split: 'trnid + valid, tstid',
    licence: 'none stated',
    how: `Get 102flowers.tgz, imagelabels.mat and setid.mat from https://www.robots.ox.ac.uk/~vgg/data/flowers/102 and unpack
the first.
ROOT/jpg/image_00001.jpg ... image_08189.jpg
ROOT/imagelabels.mat, setid.mat`,
    needs: ['jpg', 'imagelabels.mat', 'setid.mat'],
    folder: 'flowers',
    probe: 'lbfgs',
    multiLabel: false,
    role: 'among the 13',
  },
  async (root) => {
    const [labelFile, splitFile] = [join(root, 'imagelabels.mat'), join(root, 'setid.mat')]
    const { labels } = await readMatFile(labelFile, ['labels'])
    const classOf = matNumbersOf(labels, 1, CLASSES, `${labelFile}: labels`)
    const { trnid, valid, tstid } = await readMatFile(splitFile, ['trnid', 'valid', 'tstid'])
    const ids = { trnid, valid, tstid }
    const part = (name: keyof typeof ids) =>
      matNumbersOf(ids[name], 1, classOf.length, `${splitFile}: ${name}`).map((id) => ({
        path: join(root, 'jpg', `image_${String(id).padStart(5, '0')}.jpg`),
        label: classOf[id - 1]! - 1,
      }))
    return {
      classes: Array.from({ length: CLASSES }, (_, i) => String(i + 1)),
      trainval: [...part('trnid'), ...part('valid')],
      test: part('tstid'),
    }
  },
)
