import { join } from 'node:path'
import { TrexError } from '../../../errors.js'
import { below } from '../readers/below.js'
import { countOf, readJsonArrays, stringOf } from '../readers/jsonArrays.js'
import { type TransferData, transferSet } from '../transferSet.js'

const COUNTS = {
  2018: { classes: 8142, trainval: 437_513, test: 24_426 },
  2019: { classes: 1010, trainval: 265_213, test: 3030 },
} as const
type Year = keyof typeof COUNTS

/** The competitions of iNaturalist (Van Horn et al. 2018) of two years. */
export const INAT = ([2018, 2019] as const).map((year) =>
  transferSet(
    {
      name: `inat${year}`,
      title: `iNaturalist ${year}`,
      counts: COUNTS[year],
      split: 'train, and val as test',
      licence: 'non-commercial research and education',
      how: `Get train_val${year}.tar.gz, train${year}.json.tar.gz and val${year}.json.tar.gz by
https://github.com/visipedia/inat_comp and unpack them.
ROOT/train${year}.json, val${year}.json
ROOT/<file_name of the JSON>   as in train_val${year}/...`,
      needs: [`train${year}.json`, `val${year}.json`],
      folder: `inat${year}`,
      probe: 'sgd',
      multiLabel: false,
      role: 'among the 15',
    },
    (root) => readInat(root, year),
  ),
)

async function readInat(root: string, year: Year): Promise<TransferData> {
  const train = await readPart(root, `train${year}.json`)
  const val = await readPart(root, `val${year}.json`)
  // Categories have the names of species in some versions and numbers in others; numbers tell them apart in all.
  const ids = [...train.categories.keys()].sort((a, b) => a - b)
  const named = ids.map((id) => train.categories.get(id)!)
  const classes = new Set(named).size === ids.length ? named : ids.map(String)
  const labels = new Map(ids.map((id, label) => [id, label]))
  const samples = ({ file, paths, categoryOf }: InatPart) =>
    [...paths].map(([image, path]) => {
      const category = categoryOf.get(image)
      const label = category === undefined ? undefined : labels.get(category)
      if (label === undefined)
        throw new TrexError(
          `${file}: image ${image} has category ${category}, which is not among those of training`,
        )
      return { path: below(root, path, `${file}, image ${image}`), label }
    })
  return { classes, trainval: samples(train), test: samples(val) }
}

interface InatPart {
  readonly file: string
  readonly paths: ReadonlyMap<number, string>
  readonly categoryOf: ReadonlyMap<number, number>
  readonly categories: ReadonlyMap<number, string>
}

/** Images and annotations of a file; they are in the same order, but it is ids that join them. */
async function readPart(root: string, name: string): Promise<InatPart> {
  const file = join(root, name)
  const paths = new Map<number, string>()
  const categoryOf = new Map<number, number>()
  const categories = new Map<number, string>()
  await readJsonArrays(file, {
    images: (item) => setOnce(paths, countOf(item, 'id'), stringOf(item, 'file_name')),
    annotations: (item) => setOnce(categoryOf, countOf(item, 'image_id'), countOf(item, 'category_id')),
    categories: (item) => setOnce(categories, countOf(item, 'id'), stringOf(item, 'name')),
  })
  return { file, paths, categoryOf, categories }
}

function setOnce<V>(map: Map<number, V>, key: number, value: V): void {
  if (map.has(key)) throw new RangeError(`${key} is there twice`)
  map.set(key, value)
}
