import { DecodeError, type DecodeOptions, decodeImage } from '../decode/decode.js'
import { decodeRecord } from '../decode/pixelRecord.js'
import { readFileSlice } from '../decode/readImageFile.js'
import type { RgbImage } from '../pixels/image.js'
import type { Sample } from '../sources/sample.js'

/**
 * The decoded image of a sample, wherever its bytes are; those of a remote sample are given. Rejects with DecodeError.
 */
export async function readSample(
  { path, at, problem }: Sample,
  options: DecodeOptions = {},
  bytes?: Uint8Array,
): Promise<RgbImage> {
  if (problem) {
    const { message, hint } = problem
    throw new DecodeError(path, message, hint === undefined ? {} : { hint })
  }
  if (at === undefined) return decodeImage(path, options)
  if (at.kind === 'pixels') return decodeRecord(at)
  const encoded = at.kind === 'slice' ? await readFileSlice(at.path, at.offset, at.length) : bytes
  if (encoded === undefined) throw new Error(`${path} is remote, and its bytes were not given`)
  return decodeImage(encoded, { ...options, name: path })
}
