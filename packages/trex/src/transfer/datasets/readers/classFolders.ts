import { readImageFolder } from '../../../data/sources/imageFolder.js'
import { TrexError } from '../../../errors.js'
import type { TransferData } from '../transferSet.js'

/**
 * Two folders of class folders, as `readImageFolder` lists them.
 * @throws TrexError when they have other classes than each other, or as `readImageFolder` does.
 */
export async function readTwoFolders(trainval: string, test: string): Promise<TransferData> {
  const [first, second] = [await readImageFolder(trainval), await readImageFolder(test)]
  const odd = [
    ...second.classes
      .filter((name) => !first.classes.includes(name))
      .map((name) => `${trainval} lacks ${name}`),
    ...first.classes.filter((name) => !second.classes.includes(name)).map((name) => `${test} lacks ${name}`),
  ]
  if (odd.length > 0)
    throw new TrexError(
      `the class folders are not the same: ${odd[0]}${odd.length > 1 ? ` (and ${odd.length - 1} more)` : ''}`,
    )
  return { classes: first.classes, trainval: first.samples, test: second.samples }
}
