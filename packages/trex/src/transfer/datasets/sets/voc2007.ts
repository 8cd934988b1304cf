import { join } from 'node:path'
import type { Sample } from '../../../data/sources/sample.js'
import { TrexError } from '../../../errors.js'
import { below } from '../readers/below.js'
import { readLines } from '../readers/textLines.js'
import { transferSet } from '../transferSet.js'

const CLASSES =
  'aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep sofa train tvmonitor'.split(
    ' ',
  )

/**
 * PASCAL VOC 2007 classification. The lists say 1 where a class is in an image, -1 where it is not, and 0 where all its
 * objects are marked as difficult: the challenge leaves such a pair out of that class's average precision. Here it is 0
 * in `targets` and 1 in `difficult`.
 */
export const VOC2007 = transferSet(
  {
    name: 'voc2007',
    title: 'PASCAL VOC 2007',
    counts: { classes: CLASSES.length, trainval: 5011, test: 4952 },
    split: 'published',
    licence: 'images of Flickr, under its terms; research use',
    how: `Get VOCtrainval_06-Nov-2007.tar and VOCtest_06-Nov-2007.tar from http://host.robots.ox.ac.uk/pascal/VOC/voc2007 and
unpack both into ROOT.
ROOT/VOCdevkit/VOC2007/JPEGImages/*.jpg
ROOT/VOCdevkit/VOC2007/ImageSets/Main/<class>_trainval.txt, <class>_test.txt   (ID 1, -1 or 0)`,
    needs: ['VOCdevkit/VOC2007/JPEGImages', 'VOCdevkit/VOC2007/ImageSets/Main'],
    folder: 'voc2007',
    probe: 'lbfgs',
    multiLabel: true,
    role: 'further',
  },
  async (root) => {
    const place = join(root, 'VOCdevkit/VOC2007')
    const [trainval, test] = [await readPart(place, 'trainval'), await readPart(place, 'test')]
    return {
      classes: CLASSES,
      trainval: trainval.samples,
      test: test.samples,
      targets: { trainval: trainval.targets, test: test.targets },
      difficult: { trainval: trainval.difficult, test: test.difficult },
    }
  },
)

async function readPart(root: string, part: 'trainval' | 'test') {
  const files = CLASSES.map((name) => join(root, 'ImageSets/Main', `${name}_${part}.txt`))
  const ids = (await readPairs(files[0]!)).map(({ id }) => id)
  const targets = new Uint8Array(ids.length * CLASSES.length)
  const difficult = new Uint8Array(ids.length * CLASSES.length)
  for (const [c, file] of files.entries()) {
    const pairs = await readPairs(file)
    if (pairs.length !== ids.length)
      throw new TrexError(`${file} has ${pairs.length} images, but ${files[0]} has ${ids.length}`)
    for (const [i, { id, value }] of pairs.entries()) {
      if (id !== ids[i])
        throw new TrexError(`${file}:${i + 1} has image ${id}, but ${files[0]} has ${ids[i]}`)
      const at = i * CLASSES.length + c
      if (value === '1') targets[at] = 1
      else if (value === '0') difficult[at] = 1
    }
  }
  const samples = ids.map((id, i): Sample => {
    const row = targets.subarray(i * CLASSES.length, (i + 1) * CLASSES.length)
    return {
      path: below(join(root, 'JPEGImages'), `${id}.jpg`, `${files[0]}:${i + 1}`),
      label: Math.max(0, row.indexOf(1)),
    }
  })
  return { samples, targets, difficult }
}

async function readPairs(file: string) {
  return (await readLines(file)).map((line, i) => {
    const [id = '', value = '', ...more] = line.trim().split(/\s+/)
    if (!/^(1|-1|0)$/.test(value) || more.length > 0)
      throw new TrexError(`${file}:${i + 1}: "${line.slice(0, 80)}" is not an image and 1, -1 or 0`)
    return { id, value }
  })
}
