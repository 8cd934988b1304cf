import { closeSync, constants, fstatSync, open, read } from 'node:fs'
import { promisify } from 'node:util'
import { DecodeError } from './decodeError.js'

// A FIFO without a writer must not block the open, and a terminal must not become this process's own.
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0)

// Waits go to the thread pool, so that a slow disk does not hold up the event loop; what the system knows does not.
const openFile = promisify(open)
const readFile = promisify(read)

/**
 * Has `use` read an open file, which is closed afterwards; what is no regular file is refused without waiting.
 * @throws DecodeError that says what stands in the way.
 */
export async function withRegularFile<T>(
  path: string,
  use: (file: number, size: number) => Promise<T>,
): Promise<T> {
  let file: number | undefined
  try {
    file = await openFile(path, FLAGS)
    const stat = fstatSync(file)
    if (stat.isFile()) return await use(file, stat.size)
    const [kind] = KINDS.find(([, is]) => stat[is]()) ?? ['no regular file']
    throw new DecodeError(path, `cannot read ${path}: it is ${kind}`, {
      hint: 'give a regular file, or remove it',
    })
  } catch (error) {
    throw error instanceof DecodeError ? error : cannotRead(path, error as Error)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

const KINDS = [
  ['a directory', 'isDirectory'],
  ['a FIFO (named pipe)', 'isFIFO'],
  ['a socket', 'isSocket'],
  ['a character device', 'isCharacterDevice'],
  ['a block device', 'isBlockDevice'],
] as const

/** Fills `bytes` from a file, beginning at `position`; the bytes read, fewer only where the file ends. */
export async function readFully(file: number, bytes: Uint8Array, position = 0): Promise<number> {
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await readFile(file, bytes, filled, bytes.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}

const REASONS: Record<string, readonly [reason: string, hint?: string]> = {
  ENOENT: ['there is no such file', 'check the path; it may have been moved or removed'],
  ENOTDIR: ['a part of its path is a file, not a directory'],
  EISDIR: ['it is a directory'],
  ELOOP: ['its symbolic links lead in a circle', 'remove the link'],
  EACCES: ['permission denied', 'give yourself the right to read it: chmod u+r'],
  EPERM: ['permission denied'],
  ENAMETOOLONG: ['its name is too long for the file system'],
  ENXIO: ['it is a socket or device that cannot be opened', 'give a regular file, or remove it'],
  EOPNOTSUPP: ['it is a socket', 'give a regular file, or remove it'],
  EMFILE: ['this process has too many files open', 'raise the limit: ulimit -n'],
  ENFILE: ['the system has too many files open'],
  EIO: ['the disk reports a read error', 'copy it from another place'],
  ESTALE: ['the network file system lost it', 'mount the file system anew'],
}

/** The error for a file that the system does not let be read. */
export function cannotRead(path: string, cause: NodeJS.ErrnoException): DecodeError {
  const [reason, hint] = REASONS[cause.code ?? ''] ?? [cause.message]
  return new DecodeError(path, `cannot read ${path}: ${reason}`, { cause, ...(hint ? { hint } : {}) })
}
