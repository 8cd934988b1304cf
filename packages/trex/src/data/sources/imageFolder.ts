import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { TrexError } from '../../errors.js'
import type { ImageDataset, Sample } from './sample.js'
import { splitRows } from './split.js'

/** A folder of class folders. */
export interface ImageFolder {
  /** Names of the class folders, sorted by code unit. */
  classes: string[]
  /** The images class by class, each class's sorted by path. */
  samples: Sample[]
  /** How many files were left out because of their extension: { '.txt': 3 }. */
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

/**
 * Lists the images below each class folder of `root`, in an order that depends on the names alone; hidden files are
 * left out, symbolic links followed. Throws TrexError for a root that is missing, no directory or empty, and for a
 * class without images.
 */
export async function readImageFolder(root: string): Promise<ImageFolder> {
  const classes = (await listFolder(root)).filter((entry) => entry.isFolder).map((entry) => entry.name)
  if (classes.length === 0) throw new TrexError(`${root} has no class folders`, { hint: LAYOUT_HINT })
  const samples: Sample[] = []
  const ignored: Record<string, number> = {}
  for (const [label, name] of classes.entries()) {
    const folder = join(root, name)
    const paths = await listImages(folder, [await realpath(folder)], ignored)
    if (paths.length === 0) {
      const hint = `add images (${IMAGE_EXTENSIONS.join(' ')}) or remove the folder`
      throw new TrexError(`the class folder ${folder} has no images`, { hint })
    }
    for (const path of paths) samples.push({ path, label })
  }
  return { classes, samples, ignored }
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
  const folders = (await listFolder(root)).filter((entry) => entry.isFolder).map((entry) => entry.name)
  const others = folders.filter((name) => !['train', 'val', 'test'].includes(name))
  const hasTrain = folders.includes('train') && (folders.includes('val') || others.length === 0)
  const trainRoot = hasTrain ? join(root, 'train') : root
  const train = await readImageFolder(trainRoot)
  if (train.classes.length === 1) {
    throw new TrexError(
      `${trainRoot} has a single class, ${train.classes[0]}: there is nothing to tell apart`,
      {
        hint: LAYOUT_HINT,
      },
    )
  }
  if (!hasTrain || !folders.includes('val')) {
    const { classes, ignored } = train
    return { classes, ignored, ...splitTrainVal(train.samples, valFraction, seed) }
  }
  const val = await readImageFolder(join(root, 'val'))
  const labels = val.classes.map((name) => train.classes.indexOf(name))
  const unknown = val.classes.filter((_, i) => labels[i] === -1)
  if (unknown.length > 0) {
    const shown = unknown.slice(0, 5).join(', ') + (unknown.length > 5 ? ', ...' : '')
    throw new TrexError(`${root}/val has ${unknown.length} class(es) that train/ does not have: ${shown}`, {
      hint: 'the class folders of val/ must be named as those of train/',
    })
  }
  const ignored = { ...train.ignored, ...Object.fromEntries(others.map((name) => [`folder ${name}/`, 1])) }
  for (const [name, count] of Object.entries(val.ignored)) ignored[name] = (ignored[name] ?? 0) + count
  const valSamples = val.samples.map(({ path, label }) => ({ path, label: labels[label]! }))
  return { classes: train.classes, train: train.samples, val: valSamples, ignored }
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

/** The visible entries of a folder, sorted by code unit, links resolved; a link to nothing counts as a file. */
async function listFolder(folder: string): Promise<{ name: string; isFolder: boolean }[]> {
  let entries: Dirent[]
  try {
    entries = await readdir(folder, { withFileTypes: true })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reason =
      code === 'ENOENT' ? 'there is no such folder' : code === 'ENOTDIR' ? 'it is not a directory' : message
    throw new TrexError(`cannot read ${folder}: ${reason}`, { hint: LAYOUT_HINT, cause: error })
  }
  const visible = entries.filter((entry) => !entry.name.startsWith('.'))
  visible.sort((a, b) => (a.name < b.name ? -1 : 1))
  return Promise.all(
    visible.map(async (entry) => ({
      name: entry.name,
      isFolder: await isFolder(entry, join(folder, entry.name)),
    })),
  )
}

async function isFolder(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory()
  return stat(path).then(
    (target) => target.isDirectory(),
    () => false,
  )
}

/** All images below a folder; `above` are the real paths of the folder and those around it, never entered again. */
async function listImages(
  folder: string,
  above: string[],
  ignored: Record<string, number>,
): Promise<string[]> {
  const paths: string[] = []
  for (const { name, isFolder } of await listFolder(folder)) {
    const path = join(folder, name)
    if (isFolder) {
      const real = await realpath(path)
      if (above.includes(real)) continue
      for (const inner of await listImages(path, [...above, real], ignored)) paths.push(inner)
      continue
    }
    const extension = extname(name).toLowerCase()
    if (IMAGE_EXTENSIONS.includes(extension)) paths.push(path)
    else ignored[extension] = (ignored[extension] ?? 0) + 1
  }
  return paths
}
