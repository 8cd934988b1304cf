import { DecodeError } from '../decode/decodeError.js'
import { readFileSlice, readImageFile } from '../decode/readImageFile.js'
import type { FileSlice } from './sample.js'

/** The encoded bytes of the sample at `path`: a file's, or those of a part of one. Rejects with DecodeError of that path. */
export async function readEncoded(path: string, slice?: FileSlice): Promise<Uint8Array> {
  if (!slice) return readImageFile(path)
  try {
    return await readFileSlice(slice.path, slice.offset, slice.length)
  } catch (error) {
    throw error instanceof DecodeError ? asErrorOf(path, error) : error
  }
}

/** An archive's error as that of an image in it. */
export function asErrorOf(path: string, cause: DecodeError): DecodeError {
  const { message, hint } = cause
  return new DecodeError(path, `cannot read ${path}: ${message}`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  })
}
