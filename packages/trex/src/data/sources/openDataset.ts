import { readdir, stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { TrexError } from '../../errors.js'
import { isCifar, readCifar } from './cifar.js'
import { readCsvDataset } from './csv.js'
import { readImageDataset } from './imageFolder.js'
import { isMnist, readMnist } from './mnist.js'
import type { ImageDataset } from './sample.js'
import { readWebDataset } from './webDataset.js'

/** How a data set is opened. */
export interface OpenOptions {
  /** The share of each class that is held out where the data have no validation part (default 0.1). */
  readonly valFraction?: number
  /** Decides what is held out (default 0). */
  readonly seed?: number
  /** Images among which the next is drawn, where they are streamed. */
  readonly shuffleBuffer?: number
}

/** The kinds of sources. */
export type SourceKind = 'image folder' | 'tar shards' | 'table' | 'CIFAR' | 'MNIST'

/** Where a data set comes from. */
export interface Source {
  readonly kind: SourceKind
  open(options?: OpenOptions): Promise<ImageDataset>
}

interface Reader {
  readonly kind: SourceKind
  readonly read: (data: string, options: OpenOptions) => Promise<ImageDataset>
}

/** Sources told by their names; all others are folders, told by what is in them. */
const BY_NAME: readonly (Reader & { named: RegExp; accepts: string })[] = [
  {
    kind: 'tar shards',
    named: /^(wds:|https?:\/\/)|\.tar$/i,
    accepts: 'tar archives (photos.tar, wds:shards/{000..009}.tar, http(s)://...)',
    read: readWebDataset,
  },
  {
    kind: 'table',
    named: /\.[ct]sv$/i,
    accepts: 'a .csv of path,label[,split]',
    read: readCsvDataset,
  },
]

const HINT = [
  'DATA is a folder of class folders (or of train/ and val/ with class folders each)',
  'a folder of the files of CIFAR (binary version) or MNIST',
  ...BY_NAME.map(({ accepts }) => accepts),
].join('; ')

/** Opens the data set that DATA of the command line names. @throws TrexError as `sourceOf` and the source's reader do. */
export async function openDataset(data: string, options: OpenOptions = {}): Promise<ImageDataset> {
  return (await sourceOf(data)).open(options)
}

/**
 * Tells what kind of source DATA names, by its name or by what is in the folder.
 * @throws TrexError that lists what is accepted, for a path of nothing and for a file of an unknown kind
 */
export async function sourceOf(data: string): Promise<Source> {
  const { kind, read } = await readerOf(data)
  return { kind, open: (options = {}) => read(data, options) }
}

async function readerOf(data: string): Promise<Reader> {
  const named = BY_NAME.find((entry) => entry.named.test(data))
  const stats = await stat(data).catch((error: NodeJS.ErrnoException) => error)
  if (named && (stats instanceof Error || !stats.isDirectory())) return named
  if (stats instanceof Error) {
    const reason = stats.code === 'ENOENT' ? 'there is no such folder or file' : stats.message
    throw new TrexError(`cannot read ${data}: ${reason}`, { hint: HINT, cause: stats })
  }
  if (!stats.isDirectory()) {
    const what = stats.isFile()
      ? `a file of an unknown kind (${extname(data) || 'no extension'})`
      : 'no folder or file'
    throw new TrexError(`${data} is ${what}`, { hint: HINT })
  }
  const names = new Set(await readdir(data).catch(() => [])) // where that fails, readImageDataset says why
  if (isCifar(names)) return { kind: 'CIFAR', read: readCifar }
  if (isMnist(names)) return { kind: 'MNIST', read: readMnist }
  return { kind: 'image folder', read: readImageDataset }
}
