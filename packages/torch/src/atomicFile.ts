import { randomBytes } from 'node:crypto'
import {
  closeSync,
  copyFileSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

const SLICE = 1 << 26 // bytes handed to one write call

/**
 * Writes a file so that `path` holds either what it held before or the whole new content, whatever happens:
 * the chunks go to a temporary file in the same folder, which is synced, renamed over `path`, and the folder
 * synced. On any error (of the disk or of `chunks`) the temporary file is removed and the error passed on.
 */
export function writeFileAtomic(path: string, chunks: Iterable<Uint8Array>): void {
  const temporary = temporaryOf(path)
  const file = openSync(temporary, 'wx')
  let open = true
  try {
    for (const chunk of chunks) writeAll(file, chunk)
    fsyncSync(file)
    open = false
    closeSync(file)
    renameSync(temporary, path)
  } catch (error) {
    if (open) closeSync(file)
    rmSync(temporary, { force: true })
    throw error
  }
  syncFolder(dirname(path))
}

/**
 * Makes the complete file `existing` known as `path` too, in place of what `path` held; by a hard link, or by a synced
 * copy where the file system has none. Both are in one folder. On any error `path` holds what it held before.
 */
export function linkFileAtomic(existing: string, path: string): void {
  const temporary = temporaryOf(path)
  try {
    try {
      linkSync(existing, temporary)
    } catch (error) {
      if (!NO_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error
      copyFileSync(existing, temporary)
      syncPath(temporary)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  syncFolder(dirname(path))
}

/** What file systems without hard links, or with too many of them, answer. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/**
 * Removes what killed writers of `path` left in its folder; call it only where no other process writes
 * `path`.
 */
export function removeTemporaries(path: string): void {
  const prefix = temporaryPrefix(path)
  for (const name of readdirSync(dirname(path))) {
    if (name.startsWith(prefix) && /^[0-9a-f]{12}\.tmp$/.test(name.slice(prefix.length))) {
      rmSync(join(dirname(path), name), { force: true })
    }
  }
}

/**
 * Removes what killed writers of any file left in a folder; call it only where no other process writes files of it.
 */
export function removeTemporariesIn(folder: string): void {
  for (const name of readdirSync(folder))
    if (TEMPORARY.test(name)) rmSync(join(folder, name), { force: true })
}

const TEMPORARY = /^\..+\.[0-9a-f]{12}\.tmp$/

function temporaryOf(path: string): string {
  return join(dirname(path), `${temporaryPrefix(path)}${randomBytes(6).toString('hex')}.tmp`)
}

function temporaryPrefix(path: string): string {
  return `.${basename(path)}.`
}

function writeAll(file: number, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.byteLength; ) {
    at += writeSync(file, chunk, at, Math.min(SLICE, chunk.byteLength - at))
  }
}

function syncFolder(folder: string): void {
  if (process.platform === 'win32') return // Windows cannot open a folder
  try {
    syncPath(folder)
  } catch (error) {
    if (!NO_FOLDER_SYNC.has((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

/** What file systems that keep the names of files by themselves, as some of networks do, answer to the sync of a folder. */
const NO_FOLDER_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

function syncPath(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
