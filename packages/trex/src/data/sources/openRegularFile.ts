import { constants, type Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** Not a file whose bytes can be read: a folder, a FIFO, a socket, a device. */
export class NotRegularError extends Error {}

/**
 * Has `use` read an open file, which is closed afterwards; what is no regular file is refused without waiting, as the
 * opening of a FIFO does otherwise. Rejects with NotRegularError, or the system's error.
 */
export async function withRegularFile<T>(
  path: string,
  use: (file: FileHandle, stats: Stats) => Promise<T>,
): Promise<T> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new NotRegularError('it is not a regular file')
    return await use(file, stats)
  } finally {
    await file.close()
  }
}

/** Fills `bytes` from a file, beginning at `position`; the bytes read, fewer where the file ends before. */
export async function readFully(file: FileHandle, bytes: Uint8Array, position = 0): Promise<number> {
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}
