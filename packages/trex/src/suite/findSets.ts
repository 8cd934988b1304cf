import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { TrexError } from '../errors.js'
import { didYouMean } from '../suggest.js'
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

/** A folder below the root that is no data set, or not a whole one. */
export interface PassedOver {
  readonly name: string
  readonly why: string
}

/**
 * The data sets below a folder: those that are known, each in its own folder, in the paper's order; and any other folder
 * of class folders in parts (`train` or `trainval`, `test` or `val`), by name. Also the folders that are none.
 * @throws TrexError when there are none, or one that is asked for is not there.
 */
export async function findSets(
  root: string,
  only?: readonly string[],
): Promise<{ sets: FoundSet[]; passedOver: PassedOver[] }> {
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory())
    throw new TrexError(`there is no folder ${root}`, { hint: 'give the folder of the data sets' })
  const known: FoundSet[] = []
  const passedOver: PassedOver[] = []
  for (const set of TRANSFER_SETS.filter((set) => set !== OWN)) {
    const folder = join(root, set.folder)
    if (!existsSync(folder)) continue
    const missing = isEmpty(folder) ? ['everything'] : await missingOf(set, folder)
    if (missing.length === 0) known.push({ name: set.name, set, root: folder })
    else passedOver.push({ name: set.name, why: lacking(set, folder, missing) })
  }
  const taken = new Set(known.map(({ root }) => root))
  const incomplete = new Set(passedOver.map(({ name }) => join(root, transferSetOf(name).folder)))
  const others = readdirSync(root)
    .filter((name) => !name.startsWith('.'))
    .sort()
    .map((name) => ({ name, set: OWN, root: join(root, name) }))
    .filter((found) => !taken.has(found.root) && !incomplete.has(found.root) && isFolder(found.root))
  const own = others.filter(({ root }) => hasParts(root))
  for (const { name, root } of others)
    if (!hasParts(root)) passedOver.push({ name, why: 'it has no train and test folders of classes' })
  const sets = [...known, ...own]
  if (sets.length === 0)
    throw new TrexError(`no data set lies below ${root}${listed(passedOver)}`, {
      hint: 'each set has a folder of its own there: `trex datasets list` names them, `trex datasets how NAME` says how they look',
    })
  const missing = only?.find((name) => !sets.some((found) => found.name === name))
  if (missing !== undefined) throw notBelow(root, missing, sets, passedOver)
  return { sets: only ? sets.filter(({ name }) => only.includes(name)) : sets, passedOver }
}

function notBelow(
  root: string,
  wanted: string,
  sets: readonly FoundSet[],
  passedOver: readonly PassedOver[],
): TrexError {
  const why = passedOver.find(({ name }) => name === wanted)?.why
  const names = sets.map(({ name }) => name)
  const meant = why ? `: ${why}` : didYouMean(wanted, names)
  const isKnown = TRANSFER_SETS.some(({ name }) => name === wanted)
  return new TrexError(`${wanted} is not below ${root}${meant}`, {
    hint: `there are ${names.join(', ')}${isKnown ? `; \`trex datasets how ${wanted}\` says how it looks` : ''}`,
  })
}

/** Why a known set's folder is not that set. A set of one's own must not pass for it. */
function lacking({ name, title }: TransferSet, folder: string, missing: readonly string[]): string {
  const lacks = `it lacks ${missing.join(', ')}`
  return hasParts(folder)
    ? `it has folders of classes, but is not ${title} as published: ${lacks}; rename it to use it as a set of your own, or see \`trex datasets how ${name}\``
    : lacks
}

const listed = (passedOver: readonly PassedOver[]) =>
  passedOver.map(({ name, why }) => `\n  ${name}: ${why}`).join('')

const isEmpty = (folder: string) => isFolder(folder) && readdirSync(folder).length === 0

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

function hasParts(folder: string): boolean {
  const has = (...names: string[]) => names.some((name) => isFolder(join(folder, name)))
  return has('train', 'trainval') && has('test', 'val')
}
