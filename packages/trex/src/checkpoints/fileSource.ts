import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { ByteSource } from './byteSource.js'
import { CheckpointError } from './checkpointError.js'

const READ_SLICE = 1 << 30 // bytes asked of one read call
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) // a named pipe without a writer must not block the open

/** A regular file as a source; it is closed by `using`. @throws CheckpointError when it cannot be opened or is no file. */
export function openFileSource(path: string): ByteSource & Disposable {
  const fail = (what: string, cause?: unknown): never => {
    throw new CheckpointError(path, what, { cause, hint: 'Check the path.' })
  }
  let file: number
  try {
    file = openSync(path, FLAGS)
  } catch (cause) {
    return fail(`cannot be opened: ${(cause as Error).message}`, cause)
  }
  const stats = fstatSync(file)
  if (!stats.isFile()) {
    closeSync(file)
    fail(stats.isDirectory() ? 'is a folder; a file of weights is wanted' : 'is no file')
  }
  const read = (offset: number, length: number) => {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; ) {
      const count = readSync(file, bytes, at, Math.min(READ_SLICE, length - at), offset + at)
      if (count === 0) fail('became shorter while it was read')
      at += count
    }
    return bytes
  }
  return { name: path, size: stats.size, read, [Symbol.dispose]: () => closeSync(file) }
}
