import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Sample } from '../../data/sources/sample.js'
import { TrexError } from '../../errors.js'

/** How much of everything a set has. */
export interface SetCounts {
  readonly classes: number
  readonly trainval: number
  readonly test: number
}

/** What a probe needs of a data set: it is tuned and refitted on `trainval`, and scored once on `test`. */
export interface TransferData {
  /** Names of the classes; a label is a place in this list. */
  readonly classes: readonly string[]
  readonly trainval: readonly Sample[]
  /** In multi-label sets a sample's label is the first of its classes, or 0 where it has none. */
  readonly test: readonly Sample[]
  /** Of multi-label sets: [images, classes] row by row, 1 where the class is in the image, else 0. */
  readonly targets?: PartTargets
  /** Where `targets` should be neither right nor wrong: 1 for a class that is there but too difficult to be seen. */
  readonly difficult?: PartTargets
}

/** Arrays of [images, classes], in the order of the samples. */
export interface PartTargets {
  readonly trainval: Uint8Array
  readonly test: Uint8Array
}

/** What a set is in the paper: its score is the mean log odds over the first 13; its table adds two to make 15. */
export type SetRole = 'training task' | 'among the 13' | 'among the 15' | 'further'

/** What is known of a data set, and how its files are read. */
export interface SetDescription {
  /** As on the command line. */
  readonly name: string
  readonly title: string
  /** Null: a set may have any. */
  readonly counts: SetCounts | null
  /** What is trained on and what is tested on. */
  readonly split: string
  readonly licence: string
  /** Where to get it, and what ROOT should hold. */
  readonly how: string
  /** Paths below ROOT without which nothing can be read. */
  readonly needs: readonly string[]
  /** The folder of ROOT below a folder of all sets. */
  readonly folder: string
  /** The paper's: L-BFGS for small sets, SGD for large ones. */
  readonly probe: 'lbfgs' | 'sgd'
  readonly multiLabel: boolean
  readonly role: SetRole
}

/** A data set of the transfer suite. */
export interface TransferSet extends SetDescription {
  /**
   * Lists the images of the set. Those named by lists are not looked for one by one: what is missing shows when it is
   * read, and in `trex datasets check NAME ROOT`. `expect` replaces the published counts; null takes what is there.
   * @throws TrexError naming what is missing, broken, or of another number than expected.
   */
  open(root: string, options?: { readonly expect?: SetCounts | null }): Promise<TransferData>
}

/** Makes a set of its description and of what reads its files, which need check no counts. */
export function transferSet(
  description: SetDescription,
  read: (root: string) => Promise<TransferData>,
): TransferSet {
  const { title, counts, how } = description
  return {
    ...description,
    async open(root, { expect = counts } = {}) {
      const missing = await missingOf(description, root)
      if (missing.length > 0)
        throw new TrexError(`${root} lacks what ${title} is read from: ${missing.join(', ')}`, { hint: how })
      const data = await read(root).catch((error) => {
        if (!(error instanceof TrexError) || error.hint !== undefined) throw error
        throw new TrexError(error.message, { hint: how, cause: error })
      })
      checkData(description, root, data, expect)
      return data
    },
  }
}

/** Which of the needed paths are not below `root`; `the folder itself` where that is no folder. */
export async function missingOf({ needs }: SetDescription, root: string): Promise<string[]> {
  const kind = await stat(root).catch(() => null)
  if (!kind?.isDirectory()) return ['the folder itself']
  const found = await Promise.all(
    needs.map((path) =>
      stat(join(root, path)).then(
        () => true,
        () => false,
      ),
    ),
  )
  return needs.filter((_, i) => !found[i])
}

function checkData(
  { title, how }: SetDescription,
  root: string,
  { classes, trainval, test, targets, difficult }: TransferData,
  expect: SetCounts | null,
): void {
  const found: SetCounts = { classes: classes.length, trainval: trainval.length, test: test.length }
  const wrong = expect
    ? (['classes', 'trainval', 'test'] as const)
        .filter((what) => found[what] !== expect[what])
        .map(
          (what) =>
            `${found[what]} ${what === 'classes' ? what : `${what} images`}, expected ${expect[what]}`,
        )
    : []
  if (wrong.length > 0)
    throw new TrexError(`${root} is not all of ${title}: ${wrong.join('; ')}`, { hint: how })
  for (const part of ['trainval', 'test'] as const)
    if (found[part] === 0) throw new TrexError(`${root}: ${title} has no ${part} images`, { hint: how })
  if (new Set(classes).size !== classes.length)
    throw new TrexError(`${root}: two classes of ${title} have the same name`, { hint: how })
  const isStray = ({ label }: Sample) => !(label >= 0 && label < classes.length)
  const stray = trainval.find(isStray) ?? test.find(isStray)
  if (stray)
    throw new TrexError(`${stray.path} has label ${stray.label}, expected 0 to ${classes.length - 1}`, {
      hint: how,
    })
  for (const arrays of [targets, difficult])
    for (const part of ['trainval', 'test'] as const)
      if (arrays && arrays[part].length !== found[part] * found.classes)
        throw new RangeError(`${title}: ${arrays[part].length} targets for ${found[part]} images`)
}
