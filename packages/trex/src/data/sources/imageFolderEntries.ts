import { isUtf8 } from 'node:buffer'
import type { Dirent, Stats } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { sep } from 'node:path'
import { isHidden } from './hidden.js'

/** A path as the system has it, and as it is shown; the two differ where a name is not UTF-8. */
export interface FolderPath {
  readonly bytes: Buffer
  /** The path as text; bytes that are no UTF-8 are written `\xe9`. */
  readonly shown: string
  /** Whether `shown` is the path itself. */
  readonly exact: boolean
}

/** What stands in a folder; links are resolved. */
export interface FolderEntry extends FolderPath {
  /** The last part of `shown`. */
  readonly name: string
  readonly kind: 'file' | 'folder' | 'other'
  /** Of kind `other`: what it is, as in "it is a FIFO". */
  readonly what?: string
}

/** How many things were left out, by kind. */
export type Counts = Record<string, number>

/** Adds to one count. */
export function count(counts: Counts, kind: string, times = 1): void {
  counts[kind] = (counts[kind] ?? 0) + times
}

export const folderPath = (path: string): FolderPath => ({
  bytes: Buffer.from(path),
  shown: path,
  exact: true,
})

/**
 * The entries of a folder sorted by the code units of their names. Hidden ones (`.name`, `Thumbs.db`, `desktop.ini`,
 * `__MACOSX`) are left out and counted. Rejects with the system's error.
 */
export async function listFolder(folder: FolderPath, ignored: Counts): Promise<FolderEntry[]> {
  const found: (Dirent<Buffer> & { shown: string })[] = []
  for (const entry of await readdir(folder.bytes, { withFileTypes: true, encoding: 'buffer' })) {
    const shown = printable(entry.name)
    if (isHidden(shown)) count(ignored, 'hidden')
    else found.push(Object.assign(entry, { shown }))
  }
  found.sort((a, b) => (a.shown < b.shown ? -1 : a.shown > b.shown ? 1 : Buffer.compare(a.name, b.name)))
  return Promise.all(
    found.map(async (entry) => {
      const bytes = Buffer.concat([folder.bytes, Buffer.from(sep), entry.name])
      const exact = folder.exact && isUtf8(entry.name)
      const place = { bytes, shown: folder.shown + sep + entry.shown, exact, name: entry.shown }
      return { ...place, ...(entry.isSymbolicLink() ? await targetOf(bytes) : kindOf(entry)) }
    }),
  )
}

type Kind = Pick<FolderEntry, 'kind' | 'what'>

function kindOf(entry: Dirent<Buffer> | Stats): Kind {
  if (entry.isFile()) return { kind: 'file' }
  if (entry.isDirectory()) return { kind: 'folder' }
  if (entry.isFIFO()) return { kind: 'other', what: 'a FIFO (named pipe)' }
  if (entry.isSocket()) return { kind: 'other', what: 'a socket' }
  return { kind: 'other', what: 'a device' }
}

const BROKEN: Record<string, string> = {
  ENOENT: 'a link to nothing',
  ENOTDIR: 'a link to nothing',
  ELOOP: 'a loop of links',
  EACCES: 'a link into a folder that may not be read',
}

/** What a link leads to. */
async function targetOf(link: Buffer): Promise<Kind> {
  try {
    return kindOf(await stat(link))
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    return { kind: 'other', what: BROKEN[code] ?? `a link that cannot be followed (${message})` }
  }
}

/** A name as text; bytes that are no UTF-8 are written `\xe9`. */
function printable(name: Buffer): string {
  if (isUtf8(name)) return name.toString()
  let text = ''
  for (let at = 0; at < name.length; ) {
    const length = [1, 2, 3, 4].find((n) => at + n <= name.length && isUtf8(name.subarray(at, at + n)))
    text +=
      length === undefined
        ? `\\x${name[at]!.toString(16).padStart(2, '0')}`
        : name.toString('utf8', at, at + length)
    at += length ?? 1
  }
  return text
}
