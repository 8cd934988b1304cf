import { join } from 'node:path'
import { TrexError } from '../../../errors.js'
import { readTwoFolders } from '../readers/classFolders.js'
import { namesIn } from '../readers/namesIn.js'
import { transferSet } from '../transferSet.js'

const TRAINVAL = ['trainval', 'train']
const TEST = ['test', 'val']

/** A data set of one's own. */
export const FOLDER = transferSet(
  {
    name: 'folder',
    title: 'Any class folders',
    counts: null,
    split: 'trainval or train, test or else val',
    licence: 'your own',
    how: `ROOT/trainval/<class>/*.jpg   or ROOT/train/<class>/*.jpg
ROOT/test/<class>/*.jpg       or ROOT/val/<class>/*.jpg
Where there are train, val and test, val is left out: make trainval of train and val to use both.`,
    needs: [],
    folder: 'folder',
    probe: 'lbfgs',
    multiLabel: false,
    role: 'further',
  },
  async (root) => {
    const names = await namesIn(root)
    const [trainval, test] = [TRAINVAL, TEST].map((part) => part.find((name) => names.includes(name)))
    if (trainval === undefined || test === undefined)
      throw new TrexError(`${root} has no ${(trainval === undefined ? TRAINVAL : TEST).join('/ or ')}/`)
    return readTwoFolders(join(root, trainval), join(root, test))
  },
)
