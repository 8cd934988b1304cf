import { join } from 'node:path'
import type { Sample } from '../../../data/sources/sample.js'
import { TrexError } from '../../../errors.js'
import { below } from '../readers/below.js'
import { countOf, readJsonArrays, stringOf } from '../readers/jsonArrays.js'
import { transferSet } from '../transferSet.js'

/**
 * MS-COCO 2017 (Lin et al. 2014) as multi-label classification: a class is in an image if any of its objects is, crowds
 * included. Images without any object (1,021 of train and 48 of val) stay, with a row of zeros.
 */
export const COCO = transferSet(
  {
    name: 'coco',
    title: 'MS-COCO 2017',
    counts: { classes: 80, trainval: 118_287, test: 5000 },
    split: 'train2017, and val2017 as test',
    licence: 'annotations CC BY 4.0; images of Flickr, under its terms',
    how: `Get train2017.zip, val2017.zip and annotations_trainval2017.zip from https://cocodataset.org and unpack them.
ROOT/train2017/*.jpg
ROOT/val2017/*.jpg
ROOT/annotations/instances_train2017.json, instances_val2017.json`,
    needs: [
      'train2017',
      'val2017',
      'annotations/instances_train2017.json',
      'annotations/instances_val2017.json',
    ],
    folder: 'coco',
    probe: 'lbfgs',
    multiLabel: true,
    role: 'further',
  },
  async (root) => {
    const train = await readPart(root, 'train2017')
    const val = await readPart(root, 'val2017')
    const ids = [...train.categories.keys()].sort((a, b) => a - b)
    const [trainval, test] = [labelled(train, ids), labelled(val, ids)]
    return {
      classes: ids.map((id) => train.categories.get(id)!),
      trainval: trainval.samples,
      test: test.samples,
      targets: { trainval: trainval.targets, test: test.targets },
    }
  },
)

interface CocoPart {
  readonly file: string
  readonly folder: string
  readonly categories: ReadonlyMap<number, string>
  readonly images: ReadonlyMap<number, string>
  /** Categories of images, in turns: the image's id, the category's. */
  readonly pairs: readonly number[]
}

async function readPart(root: string, name: string): Promise<CocoPart> {
  const file = join(root, 'annotations', `instances_${name}.json`)
  const categories = new Map<number, string>()
  const images = new Map<number, string>()
  const pairs: number[] = []
  await readJsonArrays(file, {
    categories: (item) => setOnce(categories, countOf(item, 'id'), stringOf(item, 'name')),
    images: (item) => setOnce(images, countOf(item, 'id'), stringOf(item, 'file_name')),
    annotations: (item) => pairs.push(countOf(item, 'image_id'), countOf(item, 'category_id')),
  })
  return { file, folder: join(root, name), categories, images, pairs }
}

function setOnce(map: Map<number, string>, key: number, value: string): void {
  if (map.has(key)) throw new RangeError(`${key} is there twice`)
  map.set(key, value)
}

const MAX_TARGETS = 1 << 28

/** Images in the order of the file, with what is in them; `ids` are the classes' categories. */
function labelled(
  { file, folder, images, pairs }: CocoPart,
  ids: readonly number[],
): { samples: Sample[]; targets: Uint8Array } {
  if (images.size * ids.length > MAX_TARGETS)
    throw new TrexError(`${file} has ${images.size} images, too many for ${ids.length} categories`)
  const rows = new Map([...images.keys()].map((id, row) => [id, row]))
  const labels = new Map(ids.map((id, label) => [id, label]))
  const targets = new Uint8Array(images.size * ids.length)
  for (let i = 0; i < pairs.length; i += 2) {
    const [row, label] = [rows.get(pairs[i]!), labels.get(pairs[i + 1]!)]
    if (row === undefined || label === undefined)
      throw new TrexError(
        `${file}: annotations[${i / 2}] is of image ${pairs[i]} and category ${pairs[i + 1]}, of which one is not there`,
      )
    targets[row * ids.length + label] = 1
  }
  const samples = [...images.values()].map((name, row) => ({
    path: below(folder, name, `${file}: images[${row}]`),
    label: Math.max(0, targets.subarray(row * ids.length, (row + 1) * ids.length).indexOf(1)),
  }))
  return { samples, targets }
}
