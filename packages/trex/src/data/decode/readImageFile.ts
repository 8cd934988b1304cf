import { closeSync, constants, fstatSync, open, read } from 'node:fs'
import { promisify } from 'node:util'
import { DecodeError } from './decodeError.js'

/** The largest file that is read, in bytes. */
export const MAX_FILE_BYTES = 2 ** 30

// A FIFO without a writer must not block the open, and a terminal must not become this process's own.
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0)

/**
 * All bytes of a regular file of at most MAX_FILE_BYTES; never waits for a FIFO, socket or device.
 * @throws DecodeError that says what stands in the way.
 */
export async function readImageFile(path: string): Promise<Uint8Array> {
  return withRegularFile(path, async (file, size) => {
    if (size > MAX_FILE_BYTES) {
      const [is, most] = [size, MAX_FILE_BYTES].map((bytes) => bytes.toLocaleString('en'))
      throw new DecodeError(path, `${path} is a file of ${is} bytes, more than the ${most} that are read`, {
        hint: 'an image is smaller: remove it, or shrink it',
      })
    }
    return readUpTo(file, 0, size)
  })
}

/** The first `bytes` of a regular file, or all it has if it is shorter. @throws DecodeError as `readImageFile` does. */
export async function readImageStart(path: string, bytes: number): Promise<Uint8Array> {
  return withRegularFile(path, (file, size) => readUpTo(file, 0, Math.min(bytes, size)))
}

/**
 * `length` bytes of a regular file from `offset` on, such as a member of a tar archive.
 * @throws DecodeError as `readImageFile` does, and when the file ends before.
 */
export async function readFileSlice(path: string, offset: number, length: number): Promise<Uint8Array> {
  if (length > MAX_FILE_BYTES) {
    throw new DecodeError(
      path,
      `a part of ${path} has ${length.toLocaleString('en')} bytes, too many to read`,
    )
  }
  return withRegularFile(path, async (file, size) => {
    const bytes = await readUpTo(file, offset, Math.max(0, Math.min(length, size - offset)))
    if (bytes.length === length) return bytes
    const message = `${path} ends at byte ${size.toLocaleString('en')}, inside a part of ${length.toLocaleString('en')} bytes`
    throw new DecodeError(path, `${message} that begins at byte ${offset.toLocaleString('en')}`, {
      hint: 'the file is truncated, or was changed while in use: fetch it again',
    })
  })
}

// Waits go to the thread pool, so that a slow disk does not hold up the event loop; what the system knows does not.
const openFile = promisify(open)
const readFile = promisify(read)

async function withRegularFile<T>(path: string, use: (file: number, size: number) => Promise<T>): Promise<T> {
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

/** Fewer bytes than asked for only where the file ends. */
async function readUpTo(file: number, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await readFile(file, bytes, filled, length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
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
