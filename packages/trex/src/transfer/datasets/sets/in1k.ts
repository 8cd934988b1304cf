import { join } from 'node:path'
import { readTwoFolders } from '../readers/classFolders.js'
import { transferSet } from '../transferSet.js'

/** ImageNet-1K (Russakovsky et al. 2015), which the paper trains on. */
export const IN1K = transferSet(
  {
    name: 'in1k',
    title: 'ImageNet-1K',
    counts: { classes: 1000, trainval: 1_281_167, test: 50_000 },
    split: 'train, and val as test',
    licence: "ImageNet's terms: non-commercial research",
    how: `Get ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar from https://image-net.org (with an account).
ROOT/train/<wnid>/*.JPEG   the train archive, each of its 1,000 archives unpacked into a folder of its name
ROOT/val/<wnid>/*.JPEG     the val archive, its images moved into folders of their classes`,
    needs: ['train', 'val'],
    folder: 'in1k',
    probe: 'sgd',
    multiLabel: false,
    role: 'training task',
  },
  (root) => readTwoFolders(join(root, 'train'), join(root, 'val')),
)
