import { join } from 'node:path'
import { TrexError } from '../../../errors.js'
import { readMatFile } from '../readers/matFile.js'
import { matNumbersOf } from '../readers/matValues.js'
import { labelsOf, readLines } from '../readers/textLines.js'
import { transferSet } from '../transferSet.js'

/** The nine commonest of its 27 types of scenes; the others are one class (Gupta et al. 2015). */
const SCENES = [
  'bedroom',
  'kitchen',
  'living_room',
  'bathroom',
  'dining_room',
  'office',
  'home_office',
  'classroom',
  'bookstore',
]

/** NYU Depth v2 (Silberman et al. 2012) as scene classification, of the colour images alone. */
export const NYU_V2 = transferSet(
  {
    name: 'nyu-v2',
    title: 'NYU Depth v2, scenes',
    counts: { classes: SCENES.length + 1, trainval: 795, test: 654 },
    split: 'published (splits.mat)',
    licence: 'none stated',
    how: `Get nyu_depth_v2_labeled.mat and splits.mat by https://cs.nyu.edu/~fergus/datasets/nyu_depth_v2.html. The first is an HDF5
file; with Python's h5py and Pillow this writes what is read here:
  import h5py; from PIL import Image; f = h5py.File('nyu_depth_v2_labeled.mat')
  for i, x in enumerate(f['images']): Image.fromarray(x.transpose(2, 1, 0)).save(f'images/{i + 1:04d}.png')
  text = lambda r: ''.join(map(chr, f[r][:].ravel()))
  open('scene_types.txt', 'w').writelines(text(r) + chr(10) for r in f['sceneTypes'][0])
ROOT/images/0001.png ... 1449.png
ROOT/scene_types.txt   (a line an image: bedroom, kitchen, ...)
ROOT/splits.mat`,
    needs: ['images', 'scene_types.txt', 'splits.mat'],
    folder: 'nyu-v2',
    probe: 'lbfgs',
    multiLabel: false,
    role: 'further',
  },
  async (root) => {
    const [typeFile, splitFile] = [join(root, 'scene_types.txt'), join(root, 'splits.mat')]
    const types = await readLines(typeFile)
    const odd = types.findIndex((type) => !/^[a-z_]{3,40}$/.test(type))
    if (odd >= 0) throw new TrexError(`${typeFile}:${odd + 1} is no type of scene`)
    const labels = labelsOf(SCENES)
    const { trainNdxs, testNdxs } = await readMatFile(splitFile, ['trainNdxs', 'testNdxs'])
    const part = (value: typeof trainNdxs, name: string) =>
      matNumbersOf(value, 1, types.length, `${splitFile}: ${name}`).map((id) => ({
        path: join(root, 'images', `${String(id).padStart(4, '0')}.png`),
        label: labels.get(types[id - 1]!) ?? SCENES.length,
      }))
    return {
      classes: [...SCENES, 'others'],
      trainval: part(trainNdxs, 'trainNdxs'),
      test: part(testNdxs, 'testNdxs'),
    }
  },
)
