import { type FileHandle, open, stat } from 'node:fs/promises'
import { TrexError } from '../../errors.js'
import { TAR_BLOCK } from './tarHeader.js'
import { parseTar, type TarEntry } from './tarParser.js'

const BLOCK_BYTES = 2 ** 16

/** How a file's archive is read. */
export interface TarFileOptions {
  /** Whether a member's data is wanted with it. */
  wants?(name: string, size: number): boolean
  signal?: AbortSignal | undefined
}

/**
 * Gives `visit` the members of a tar file in their order. Only headers are read: alone where the data between them is
 * large, in blocks of 64 KiB where it is small. Throws TrexError as `parseTar` does, for a path that is no file, and
 * for one that cannot be read.
 */
export async function readTarFile(
  path: string,
  visit: (entry: TarEntry) => void,
  { wants, signal }: TarFileOptions = {},
): Promise<void> {
  const size = await sizeOfFile(path)
  const file = await open(path).catch((cause: Error) => {
    throw cannotRead(path, cause)
  })
  try {
    const parser = parseTar({ archive: path, length: () => size, ...(wants ? { wants } : {}) })
    const window = openWindow(path, file, size)
    let step = parser.next()
    while (!step.done) {
      if ('at' in step.value) {
        const { at, length } = step.value
        let bytes = window.held(at, length)
        if (bytes === null) {
          signal?.throwIfAborted()
          bytes = await window.read(at, length)
        }
        step = parser.next(bytes)
      } else {
        visit(step.value)
        step = parser.next()
      }
    }
  } finally {
    await file.close()
  }
}

/** Whether two ranges of a file hold the same bytes; read in pieces. */
export async function sameBytes(path: string, a: number, b: number, length: number): Promise<boolean> {
  const file = await open(path)
  try {
    const [first, second] = [Buffer.alloc(BLOCK_BYTES), Buffer.alloc(BLOCK_BYTES)]
    for (let done = 0; done < length; done += BLOCK_BYTES) {
      const bytes = Math.min(BLOCK_BYTES, length - done)
      const reads = await Promise.all([
        file.read(first, 0, bytes, a + done),
        file.read(second, 0, bytes, b + done),
      ])
      if (reads.some(({ bytesRead }) => bytesRead !== bytes)) return false
      if (!first.subarray(0, bytes).equals(second.subarray(0, bytes))) return false
    }
    return true
  } finally {
    await file.close()
  }
}

async function sizeOfFile(path: string): Promise<number> {
  const found = await stat(path).catch((cause: Error) => {
    throw cannotRead(path, cause)
  })
  if (found.isFile()) return found.size
  throw new TrexError(
    `${path} is ${found.isDirectory() ? 'a folder' : 'no regular file'}, not a tar archive`,
    {
      hint: found.isDirectory() ? `name its archives: wds:${path}/*.tar` : 'give the path of a .tar file',
    },
  )
}

function cannotRead(path: string, cause: NodeJS.ErrnoException): TrexError {
  const what = cause.code === 'ENOENT' ? 'there is no such file' : cause.message
  return new TrexError(`cannot read ${path}: ${what}`, { hint: 'check the path and its permissions', cause })
}

/** The part of the file that was read last. */
function openWindow(path: string, file: FileHandle, size: number) {
  let bytes = Buffer.alloc(0)
  let start = 0
  return {
    /** The bytes asked for, where they are there; null where they must be read. */
    held(at: number, length: number): Uint8Array | null {
      const end = Math.min(at + length, size)
      if (end <= at) return new Uint8Array()
      return at >= start && end <= start + bytes.length ? bytes.subarray(at - start, end - start) : null
    },
    async read(at: number, length: number): Promise<Uint8Array> {
      const isNear = at - (start + bytes.length) < BLOCK_BYTES
      const wanted = Math.max(length, isNear ? BLOCK_BYTES : TAR_BLOCK)
      const next = Buffer.alloc(Math.min(wanted, size - at))
      let filled = 0
      while (filled < next.length) {
        const { bytesRead } = await file.read(next, filled, next.length - filled, at + filled)
        if (bytesRead === 0) {
          throw new TrexError(`${path} became shorter while it was read`, {
            hint: 'wait until it is written',
          })
        }
        filled += bytesRead
      }
      bytes = next
      start = at
      return bytes.subarray(0, Math.min(length, bytes.length))
    },
  }
}
