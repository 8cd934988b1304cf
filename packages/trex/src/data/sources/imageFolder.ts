import { realpath } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import { TrexError } from '../../errors.js'
import {
  type Counts,
  count,
  type FolderEntry,
  type FolderPath,
  folderPath,
  listFolder,
} from './imageFolderEntries.js'
import { findParts, partOfFolder } from './partNames.js'
import type { ImageDataset, Sample } from './sample.js'
import { splitRows } from './split.js'

/** A folder of class folders. */
export interface ImageFolder {
  /** Names of the class folders, sorted by code unit. */
  classes: string[]
  /** The images class by class, each class's sorted by path. */
  samples: Sample[]
  /** How many files were left out, by kind: `{ '.txt': 3, hidden: 1 }`; '' are those without extension. */
  ignored: Record<string, number>
}

/** Names that count as images; what a file really is, its content decides when it is decoded. */
export const IMAGE_EXTENSIONS: readonly string[] = [
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.gif',
  '.tif',
  '.tiff',
  '.avif',
]

const LAYOUT_HINT = 'expected DATA/<class>/<image>.jpg, or DATA/train/<class>/... and DATA/val/<class>/...'
const RENAME_HINT = 'rename it (convmv -f latin1 -t utf8 converts a whole folder), or remove it'

/**
 * Lists the images below each class folder of `root`, in an order that depends on the names alone (their code units,
 * folder by folder). Symbolic links are followed, hidden files left out and counted. What is named as an image but
 * cannot be one (a FIFO, a link to nothing, a name that is not UTF-8, a folder that may not be read) becomes a sample
 * with a `problem`; no file is opened. Throws TrexError for a root that is missing, no directory or empty, and for a
 * class folder that is unreadable, without images, or of a name that is not UTF-8.
 */
export async function readImageFolder(root: string): Promise<ImageFolder> {
  const ignored: Counts = {}
  const entries = await listRoot(root, ignored)
  const folders = entries.filter(({ kind }) => kind === 'folder')
  if (folders.length === 0) throw new TrexError(`${root} has no class folders`, { hint: LAYOUT_HINT })
  for (const entry of entries) if (entry.kind !== 'folder') leaveOut(entry, ignored)
  const samples: Sample[] = []
  const refused: TrexError[] = []
  for (const [label, folder] of folders.entries()) {
    const list: ImageList = { label, samples: [], ignored }
    const refusal = folder.exact
      ? await listImages(folder, [await realPath(folder)], list).catch(
          (error) =>
            new TrexError(`the class folder ${folder.shown} ${whyUnreadable(error)}`, { cause: error }),
        )
      : new TrexError(`the name of the class folder ${folder.shown} is not UTF-8`, { hint: RENAME_HINT })
    if (refusal) refused.push(refusal)
    else if (list.samples.length === 0) {
      const hint = `add images (${IMAGE_EXTENSIONS.join(' ')}) or remove the folder`
      refused.push(new TrexError(`the class folder ${folder.shown} has no images`, { hint }))
    }
    for (const sample of list.samples) samples.push(sample)
  }
  if (refused.length > 0) throw firstOf(refused)
  return { classes: folders.map(({ name }) => name), samples, ignored }
}

/**
 * Reads a data set: `train/` and `val/` folders of class folders where they exist, else one folder of class folders
 * (or a `train/` without `val/`) of which `valFraction` of each class is held out by `seed`. Folders beside `train/` and
 * `val/` are left out, and counted as ignored. Throws TrexError as `readImageFolder` does, for a single class, and for a
 * validation class that training does not have.
 */
export async function readImageDataset(
  root: string,
  { valFraction = 0.1, seed = 0 }: { valFraction?: number; seed?: number } = {},
): Promise<ImageDataset> {
  const beside: Counts = {}
  const entries = await listRoot(root, beside)
  const folders = entries.filter(({ kind }) => kind === 'folder').map(({ name }) => name)
  const withFoldersAlone = new Set<string>()
  for (const name of folders.filter((folder) => partOfFolder(folder) === 'train')) {
    const inside = await listRoot(join(root, name), {})
    if (inside.length > 0 && inside.every(({ kind }) => kind === 'folder')) withFoldersAlone.add(name)
  }
  const parts = findParts(folders, (name) => withFoldersAlone.has(name))
  const trainRoot = parts ? join(root, parts.train) : root
  const train = await readImageFolder(trainRoot)
  const { classes, ignored } = train
  if (classes.length === 1) {
    throw new TrexError(`${trainRoot} has a single class, ${classes[0]}: there is nothing to tell apart`, {
      hint: LAYOUT_HINT,
    })
  }
  if (parts) {
    for (const entry of entries) if (entry.kind !== 'folder') leaveOut(entry, beside)
    for (const name of parts.others) count(beside, `folder ${name}/`)
    for (const [kind, times] of Object.entries(beside)) count(ignored, kind, times)
  }
  if (!parts?.val) return { classes, ignored, ...splitTrainVal(train.samples, valFraction, seed) }
  const val = await readImageFolder(join(root, parts.val))
  const labels = val.classes.map((name) => classes.indexOf(name))
  const unknown = val.classes.filter((_, i) => labels[i] === -1)
  if (unknown.length > 0) {
    const shown = unknown.slice(0, 5).join(', ') + (unknown.length > 5 ? ', ...' : '')
    throw new TrexError(
      `${join(root, parts.val)} has ${unknown.length} class(es) that ${parts.train}/ does not have: ${shown}`,
      {
        hint: `the class folders of ${parts.val}/ must be named as those of ${parts.train}/`,
      },
    )
  }
  for (const [kind, times] of Object.entries(val.ignored)) count(ignored, kind, times)
  const valSamples = val.samples.map((sample) => ({ ...sample, label: labels[sample.label]! }))
  return { classes, train: train.samples, val: valSamples, ignored }
}

/** `splitRows` of samples by their class; both parts keep the order of `samples`. */
export function splitTrainVal(
  samples: readonly Sample[],
  valFraction: number,
  seed: number,
): { train: Sample[]; val: Sample[] } {
  const labels = samples.map(({ label }) => label)
  const { train, val } = splitRows(labels, { fraction: valFraction, seed, stream: 0 })
  const pick = (rows: Uint32Array) => Array.from(rows, (row) => samples[row]!)
  return { train: pick(train), val: pick(val) }
}

/** All images below a folder, of label 0; what is left out is counted. Rejects with TrexError when it cannot be read. */
export async function imagesBelow(root: string, ignored: Counts): Promise<Sample[]> {
  const folder = folderPath(withoutSlashes(root))
  const list: ImageList = { label: 0, samples: [], ignored }
  try {
    await listImages(folder, [await realPath(folder)], list)
  } catch (cause) {
    throw new TrexError(`${root} ${whyUnreadable(cause as Error)}`, { cause })
  }
  return list.samples
}

const withoutSlashes = (path: string) => normalize(path).replace(/(?<=.)[/\\]+$/, '')

async function listRoot(root: string, ignored: Counts): Promise<FolderEntry[]> {
  try {
    return await listFolder(folderPath(withoutSlashes(root)), ignored)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reason =
      code === 'ENOENT' ? 'there is no such folder' : code === 'ENOTDIR' ? 'it is not a directory' : message
    throw new TrexError(`cannot read ${root}: ${reason}`, { hint: LAYOUT_HINT, cause: error })
  }
}

interface ImageList {
  readonly label: number
  readonly samples: Sample[]
  readonly ignored: Counts
}

/**
 * Adds all images below a folder; `above` are the real paths of the folder and those around it. They, and all that hold
 * one of them, are not entered again: else a link to `..` would make images of other classes ones of this.
 */
async function listImages(folder: FolderPath, above: string[], list: ImageList): Promise<void> {
  const { label, samples, ignored } = list
  for (const entry of await listFolder(folder, ignored)) {
    const bad = (message: string, hint: string) =>
      samples.push({ path: entry.shown, label, problem: { message: `${entry.shown} ${message}`, hint } })
    if (entry.kind === 'folder') {
      const real = await realPath(entry)
      if (above.some((path) => isInside(path, real))) count(ignored, 'link to a folder around it')
      else
        await listImages(entry, [...above, real], list).catch((error) =>
          bad(whyUnreadable(error), 'change its permissions, or remove it'),
        )
    } else if (!IMAGE_EXTENSIONS.includes(extensionOf(entry.name))) leaveOut(entry, ignored)
    else if (!entry.exact) bad('has a name that is not UTF-8', RENAME_HINT)
    else if (entry.kind === 'other') bad(`is ${entry.what}, not a file`, 'remove it')
    else samples.push({ path: entry.shown, label })
  }
}

const isInside = (path: string, folder: string) =>
  `${path}${sep}`.startsWith(folder.endsWith(sep) ? folder : folder + sep)

/** Unlike `fs.realpath` with its default encoding, tells names apart that are not UTF-8. */
const realPath = ({ bytes }: FolderPath): Promise<string> => realpath(bytes, { encoding: 'latin1' })

const extensionOf = (name: string) => extname(name).toLowerCase()

/** Counts what is no class folder and not listed as an image. */
function leaveOut({ name, what }: FolderEntry, ignored: Counts): void {
  const extension = extensionOf(name)
  if (IMAGE_EXTENSIONS.includes(extension)) count(ignored, 'image outside the class folders')
  else if (what?.includes('link') || what?.includes('loop')) count(ignored, 'broken link')
  else count(ignored, /^(\.(?!\d+$)[a-z\d]{1,10})?$/.test(extension) ? extension : 'other')
}

function whyUnreadable(error: NodeJS.ErrnoException): string {
  return error.code === 'EACCES'
    ? 'is a folder that may not be read (permission denied)'
    : `is a folder that cannot be read (${error.message})`
}

/** The first error, which says how many there are. */
function firstOf(errors: readonly TrexError[]): TrexError {
  const { message, hint, cause } = errors[0]!
  const others = errors.length > 1 ? ` (and ${errors.length - 1} more class folders cannot be used)` : ''
  return new TrexError(message + others, { ...(hint === undefined ? {} : { hint }), cause })
}
