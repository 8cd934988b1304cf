import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { TrexError } from '../errors.js'
import { missingOf, TRANSFER_SETS, type TransferSet, transferSetOf } from '../transfer/datasets/index.js'

/** How sets of one's own are read. */
const OWN = transferSetOf('folder')

/** A data set that lies below the suite's root. */
export interface FoundSet {
  /** The known set's, or the folder's of one's own set. */
  readonly name: string
  readonly set: TransferSet
  readonly root: string
}

/**
 * The data sets below a folder: those that are known, each in its own folder, in the paper's order; and any other folder
 * of class folders in parts (`train` or `trainval`, `test` or `val`), by name.
 * @throws TrexError when there are none, or one that is asked for is not there.
 */
export async function findSets(root: string, only?: readonly string[]): Promise<FoundSet[]> {
  if (!existsSync(root))
    throw new TrexError(`there is no folder ${root}`, { hint: 'give the folder of the data sets' })
  const known: FoundSet[] = []
  for (const set of TRANSFER_SETS.filter((set) => set !== OWN)) {
    const folder = join(root, set.folder)
    if (existsSync(folder) && (await missingOf(set, folder)).length === 0)
      known.push({ name: set.name, set, root: folder })
  }
  const taken = new Set(known.map(({ root }) => root))
  const own = readdirSync(root)
    .sort()
    .map((name) => ({ name, set: OWN, root: join(root, name) }))
    .filter((found) => !taken.has(found.root) && hasParts(found.root))
  const all = [...known, ...own.filter(({ name }) => !known.some((set) => set.name === name))]
  if (all.length === 0)
    throw new TrexError(`no data set lies below ${root}`, {
      hint: 'each set has a folder of its own there: `trex datasets list` names them, `trex datasets how NAME` says how they look',
    })
  const missing = only?.find((name) => !all.some((found) => found.name === name))
  if (missing !== undefined)
    throw new TrexError(`${missing} is not below ${root}`, {
      hint: `there are ${all.map(({ name }) => name).join(', ')}; \`trex datasets how ${missing}\` says how a known set looks`,
    })
  return only ? only.map((name) => all.find((found) => found.name === name)!) : all
}

function hasParts(folder: string): boolean {
  const has = (...names: string[]) =>
    names.some((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory())
  return has('train', 'trainval') && has('test', 'val')
}
