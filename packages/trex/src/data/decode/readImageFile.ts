import { DecodeError } from './decodeError.js'
import { readFully, withRegularFile } from './regularFile.js'

export { cannotRead } from './regularFile.js'

/** The largest file that is read, in bytes. */
export const MAX_FILE_BYTES = 2 ** 30

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

/**
 * The first `bytes` of a regular file, or of what it has from `offset` on; fewer if it is shorter.
 * @throws DecodeError as `readImageFile` does.
 */
export async function readImageStart(path: string, bytes: number, offset = 0): Promise<Uint8Array> {
  return withRegularFile(path, (file, size) =>
    readUpTo(file, offset, Math.max(0, Math.min(bytes, size - offset))),
  )
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

/** Fewer bytes than asked for only where the file ends. */
async function readUpTo(file: number, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  return bytes.subarray(0, await readFully(file, bytes, offset))
}
