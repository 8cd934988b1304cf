import { readImageFolder } from '../../../data/sources/imageFolder.js'
import { drawPerClass, SPLIT_SEED } from '../readers/perClass.js'
import { transferSet } from '../transferSet.js'

/** How many images of each class are tested on. */
const TEST_PER_CLASS = 810

/** EuroSAT (Helber et al. 2019), the RGB version. No split is published, so that one is drawn once and for all. */
export const EUROSAT = transferSet(
  {
    name: 'eurosat',
    title: 'EuroSAT',
    counts: { classes: 10, trainval: 18_900, test: 8100 },
    split: `none published: ${TEST_PER_CLASS} test images a class, drawn with seed ${SPLIT_SEED}`,
    licence: 'MIT; Copernicus Sentinel data',
    how: `Get EuroSAT.zip (RGB) by https://github.com/phelber/EuroSAT and unpack it; ROOT is the folder of class folders.
ROOT/<class>/*.jpg   10 classes, 27,000 images`,
    needs: ['Forest'],
    folder: 'eurosat',
    probe: 'lbfgs',
    multiLabel: false,
    role: 'among the 13',
  },
  async (root) => {
    const { classes, samples } = await readImageFolder(root)
    const { drawn, others } = drawPerClass(samples, TEST_PER_CLASS)
    return { classes, trainval: others, test: drawn }
  },
)
