import { join } from 'node:path'
import { TrexError } from '../../../errors.js'
import { below } from '../readers/below.js'
import { readTable } from '../readers/tabTable.js'
import { wholeNumber } from '../readers/textLines.js'
import { transferSet } from '../transferSet.js'

const CLASSES = 500

/** Birdsnap (Berg et al. 2014), version 1.1. */
export const BIRDSNAP = transferSet(
  {
    name: 'birdsnap',
    title: 'Birdsnap',
    counts: { classes: CLASSES, trainval: 47_386, test: 2443 },
    split: 'published (test_images.txt)',
    licence: 'lists for research; images of Flickr, under their own terms',
    how: `Get birdsnap.tgz from http://thomasberg.org and run its get_birdsnap.py, which fetches the images from Flickr. Some are
no longer there, and a copy without them is another set: make class folders of it, and open it as the set folder.
ROOT/images/<path of images.txt>
ROOT/species.txt, images.txt, test_images.txt   (tables with a header, separated by tabs)`,
    needs: ['images', 'species.txt', 'images.txt', 'test_images.txt'],
    folder: 'birdsnap',
    probe: 'lbfgs',
    multiLabel: false,
    role: 'further',
  },
  async (root) => {
    const [species, images, testing] = ['species.txt', 'images.txt', 'test_images.txt'].map((name) =>
      join(root, name),
    )
    const birds = await readTable(species!, ['id', 'common'])
    const classes = birds.map(([id, common], i) => {
      if (wholeNumber(id, 1, CLASSES, `${species}:${i + 2}`) !== i + 1)
        throw new TrexError(`${species}:${i + 2}: species ${id} is out of order`)
      return common!
    })
    const tested = new Set((await readTable(testing!, ['path'])).map(([path]) => path!))
    const all = (await readTable(images!, ['path', 'species_id'])).map(([path, id], i) => {
      const where = `${images}:${i + 2}`
      const label = wholeNumber(id, 1, classes.length, where) - 1
      return {
        sample: { path: below(join(root, 'images'), path!, where), label },
        test: tested.delete(path!),
      }
    })
    const [unknown] = tested
    if (unknown !== undefined) throw new TrexError(`${testing} has ${unknown}, which ${images} does not have`)
    const part = (wanted: boolean) => all.filter(({ test }) => test === wanted).map(({ sample }) => sample)
    return { classes, trainval: part(false), test: part(true) }
  },
)
