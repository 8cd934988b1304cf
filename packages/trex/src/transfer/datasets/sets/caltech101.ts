import { readImageFolder } from '../../../data/sources/imageFolder.js'
import { drawPerClass, SPLIT_SEED } from '../readers/perClass.js'
import { transferSet } from '../transferSet.js'

const TRAINVAL_PER_CLASS = 30

/**
 * Caltech-101 (Fei-Fei et al. 2004) with its background class. No split is published; that of Kornblith et al. 2019 is
 * 30 images a class, the rest being tested on (so mean per-class accuracy is what to look at), drawn here once and for all.
 */
export const CALTECH101 = transferSet(
  {
    name: 'caltech101',
    title: 'Caltech-101',
    counts: { classes: 102, trainval: 3060, test: 6084 },
    split: `none published: ${TRAINVAL_PER_CLASS} trainval images a class, drawn with seed ${SPLIT_SEED}; the rest is test`,
    licence: 'CC BY 4.0',
    how: `Get caltech-101.zip from https://data.caltech.edu/records/mzrjq-6wc02 and unpack it and 101_ObjectCategories.tar.gz
in it; ROOT is the folder 101_ObjectCategories.
ROOT/<class>/*.jpg   101 classes and BACKGROUND_Google, 9,144 images`,
    needs: ['BACKGROUND_Google'],
    folder: 'caltech101',
    probe: 'lbfgs',
    multiLabel: false,
    role: 'further',
  },
  async (root) => {
    const { classes, samples } = await readImageFolder(root)
    const { drawn, others } = drawPerClass(samples, TRAINVAL_PER_CLASS)
    return { classes, trainval: drawn, test: others }
  },
)
