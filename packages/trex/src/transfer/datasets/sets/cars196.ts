import { join } from 'node:path'
import { TrexError } from '../../../errors.js'
import { below } from '../readers/below.js'
import { readMatFile } from '../readers/matFile.js'
import { matNumber, matString, matStrings, matStructs } from '../readers/matValues.js'
import { type TransferData, transferSet } from '../transferSet.js'

/** Stanford Cars (Krause et al. 2013). */
export const CARS196 = transferSet(
  {
    name: 'cars196',
    title: 'Stanford Cars',
    counts: { classes: 196, trainval: 8144, test: 8041 },
    split: 'published (field test)',
    licence: 'non-commercial research',
    how: `Get car_ims.tgz and cars_annos.mat of https://ai.stanford.edu/~jkrause/cars/car_dataset.html (its links are dead;
copies exist) and unpack the first. The later cars_train and cars_test, which number the images anew, are not read.
ROOT/car_ims/*.jpg
ROOT/cars_annos.mat`,
    needs: ['car_ims', 'cars_annos.mat'],
    folder: 'cars196',
    probe: 'lbfgs',
    multiLabel: false,
    role: 'among the 13',
  },
  async (root): Promise<TransferData> => {
    const file = join(root, 'cars_annos.mat')
    const { annotations, class_names } = await readMatFile(file, ['annotations', 'class_names'])
    const classes = matStrings(class_names, `${file}: class_names`)
    const cars = matStructs(annotations, ['relative_im_path', 'class', 'test'], `${file}: annotations`)
    const all = cars.map(({ relative_im_path, class: label, test }, i) => {
      const where = `${file}: annotations(${i + 1})`
      const place = matNumber(label, 1, classes.length, `${where}.class`) - 1
      const path = below(root, matString(relative_im_path, `${where}.relative_im_path`), where)
      return { path, label: place, test: matNumber(test, 0, 1, `${where}.test`) === 1 }
    })
    if (all.length === 0) throw new TrexError(`${file} has no annotations`)
    const part = (wanted: boolean) =>
      all.filter(({ test }) => test === wanted).map(({ path, label }) => ({ path, label }))
    return { classes, trainval: part(false), test: part(true) }
  },
)
