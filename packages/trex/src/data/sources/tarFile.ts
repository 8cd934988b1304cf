import { closeSync, openSync, readSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
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

/** The longest time without a turn for others. */
const SLICE_MS = 20

/**
 * Gives `visit` the members of a tar file in their order. Only headers are read: alone where the data between them is
 * large, in blocks of 64 KiB where it is small. A header takes microseconds, a turn of the event loop far longer: reads
 * are synchronous, and others get a turn every 20 ms. Throws TrexError as `parseTar` does, for a path that is no file,
 * and for one that cannot be read.
 */
export async function readTarFile(
  path: string,
  visit: (entry: TarEntry) => void,
  { wants, signal }: TarFileOptions = {},
): Promise<void> {
  const size = await sizeOfFile(path)
  const file = tryRead(path, () => openSync(path, 'r'))
  try {
    const parser = parseTar({ archive: path, length: () => size, ...(wants ? { wants } : {}) })
    const read = openWindow(path, file, size)
    let turn = performance.now()
    let step = parser.next()
    while (!step.done) {
      if ('at' in step.value) step = parser.next(read(step.value.at, step.value.length))
      else {
        visit(step.value)
        step = parser.next()
      }
      if (performance.now() - turn < SLICE_MS) continue
      await setImmediate()
      signal?.throwIfAborted()
      turn = performance.now()
    }
  } finally {
    closeSync(file)
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

function tryRead<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw cannotRead(path, cause as Error)
  }
}

function cannotRead(path: string, cause: NodeJS.ErrnoException): TrexError {
  const what = cause.code === 'ENOENT' ? 'there is no such file' : cause.message
  return new TrexError(`cannot read ${path}: ${what}`, { hint: 'check the path and its permissions', cause })
}

/** Reads of a file that keep the part read last; fewer bytes than asked for are given at its end alone. */
function openWindow(path: string, file: number, size: number): (at: number, length: number) => Uint8Array {
  let bytes = Buffer.alloc(0)
  let start = 0
  return (at, length) => {
    const end = Math.min(at + length, size)
    if (end <= at) return new Uint8Array()
    if (at < start || end > start + bytes.length) {
      const isNear = at - (start + bytes.length) < BLOCK_BYTES
      const wanted = Math.min(Math.max(length, isNear ? BLOCK_BYTES : TAR_BLOCK), size - at)
      const next = Buffer.allocUnsafe(wanted)
      for (let filled = 0; filled < wanted; ) {
        const count = tryRead(path, () => readSync(file, next, filled, wanted - filled, at + filled))
        if (count === 0) {
          throw new TrexError(`${path} became shorter while it was read`, {
            hint: 'wait until it is written',
          })
        }
        filled += count
      }
      bytes = next
      start = at
    }
    return bytes.subarray(at - start, end - start)
  }
}
