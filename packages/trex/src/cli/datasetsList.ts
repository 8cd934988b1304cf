import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { TrexError } from '../errors.js'
import { missingOf, TRANSFER_SETS, type TransferSet } from '../transfer/datasets/index.js'
import { knownSet } from './knownSet.js'
import { print } from './print.js'

/** Whether the files of a set are there; what the images are, `trex datasets check` tells. */
interface Presence {
  readonly folder: string
  readonly found: boolean
  /** What is needed and not in the folder; empty where there is no such folder. */
  readonly missing: readonly string[]
}

/** Prints the known sets, and with `root` which of them are below it. */
export async function listDatasets({ root, json }: { root?: string; json?: boolean }): Promise<void> {
  if (root !== undefined && !(await isFolder(root)))
    throw new TrexError(`${root} is no folder`, {
      hint: 'name the folder that the folders of data sets are in',
    })
  const rows = await Promise.all(
    TRANSFER_SETS.map(async (set) => ({
      set,
      presence: root === undefined ? null : await presenceOf(set, root),
    })),
  )
  await print(
    json
      ? JSON.stringify(
          rows.map(({ set, presence }) => ({ ...plain(set), presence })),
          null,
          2,
        )
      : table(rows),
  )
}

/** Prints where to get a set, and what its folder should hold. */
export async function explainDataset(name: string, { json }: { json?: boolean }): Promise<void> {
  const set = knownSet(name)
  const { title, counts, split, licence, how } = set
  const size = counts
    ? `${number(counts.classes)} classes, ${number(counts.trainval)} trainval and ${number(counts.test)} test images`
    : 'any number of classes and images'
  const lines = [
    title,
    `${size}; split: ${split}`,
    `licence: ${licence}`,
    '',
    how,
    '',
    `Then: trex datasets check ${name} ROOT`,
  ]
  await print(json ? JSON.stringify({ ...plain(set), how }, null, 2) : lines.join('\n'))
}

const plain = ({ name, title, counts, split, licence, probe, multiLabel, role, folder }: TransferSet) => ({
  name,
  title,
  ...(counts ?? { classes: null, trainval: null, test: null }),
  split,
  licence,
  probe,
  multiLabel,
  role,
  folder,
})

async function presenceOf(set: TransferSet, root: string): Promise<Presence> {
  const folder = join(root, set.folder)
  if (!(await isFolder(folder))) return { folder, found: false, missing: [] }
  const missing = await missingOf(set, folder)
  return { folder, found: missing.length === 0, missing }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

const number = (value: number) => value.toLocaleString('en')

interface Row {
  readonly set: TransferSet
  readonly presence: Presence | null
}

/** A set a line. */
function table(rows: readonly Row[]): string {
  const withRoot = rows.some(({ presence }) => presence !== null)
  const head = [
    'name',
    'classes',
    'trainval',
    'test',
    'probe',
    'in the paper',
    ...(withRoot ? ['there'] : []),
    'licence',
  ]
  const cells = rows.map(({ set, presence }) => [
    set.name,
    ...(set.counts
      ? [set.counts.classes, set.counts.trainval, set.counts.test].map(number)
      : ['any', 'any', 'any']),
    set.multiLabel ? `${set.probe}, multi-label` : set.probe,
    set.role,
    ...(withRoot ? [presence ? there(presence) : ''] : []),
    set.licence,
  ])
  const widths = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)))
  const isNumber = (i: number) => i >= 1 && i <= 3
  return [head, ...cells]
    .map((row) => row.map((cell, i) => (isNumber(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))))
    .map((row) => row.join('  ').trimEnd())
    .join('\n')
}

function there({ found, missing }: Presence): string {
  if (found) return 'yes'
  if (missing.length === 0) return 'no'
  return `lacks ${missing[0]}${missing.length > 1 ? ` and ${missing.length - 1} more` : ''}`
}
