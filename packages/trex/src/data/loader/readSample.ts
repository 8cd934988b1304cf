import { type DecodeOptions, decodeImage } from '../decode/decode.js'
import { decodeRecord } from '../decode/decodeRecord.js'
import type { RgbImage } from '../pixels/image.js'
import { knownProblem } from '../sources/checkImages.js'
import { readEncoded } from '../sources/readEncoded.js'
import type { Sample } from '../sources/sample.js'

/**
 * The decoded image of a sample, wherever its bytes are; those of a remote sample are given. Rejects with DecodeError.
 */
export async function readSample(
  sample: Sample,
  options: DecodeOptions = {},
  bytes?: Uint8Array,
): Promise<RgbImage> {
  const { path, at } = sample
  const problem = knownProblem(sample)
  if (problem) throw problem
  if (at === undefined) return decodeImage(path, options)
  if (at.kind === 'pixels') return decodeRecord(at)
  const encoded = at.kind === 'slice' ? await readEncoded(path, at) : bytes
  if (encoded === undefined) throw new Error(`${path} is remote, and its bytes were not given`)
  return decodeImage(encoded, { ...options, name: path })
}
