import { open } from 'node:fs/promises'
import { cannotRead, DecodeError } from './decode.js'

/** `length` bytes of a file from `offset` on. Rejects with DecodeError when they are not there. */
export async function readFileSlice(path: string, offset: number, length: number): Promise<Uint8Array> {
  const file = await open(path).catch((error: Error) => {
    throw cannotRead(path, error)
  })
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, offset)
    if (bytesRead < length) throw new DecodeError(path, `${path} ends before byte ${offset + length}`)
    return buffer
  } finally {
    await file.close()
  }
}
