import type { RgbImage } from '../pixels/image.js'
import { cannotDecode, notAnImage } from './decodeError.js'
import { DECODERS } from './decoders.js'
import { readImageFile } from './readImageFile.js'
import { sniffContent } from './sniff.js'

export { DecodeError, notAnImage } from './decodeError.js'
export * from './decodeRecord.js'
export * from './readImageFile.js'

/** How an image is decoded. */
export interface DecodeOptions {
  /**
   * Turn the image as its EXIF or XMP orientation says, as Pillow's `ImageOps.exif_transpose` does; off by default, as in
   * torchvision. TIFF is always turned, as Pillow does.
   */
  autoOrient?: boolean
  /** The largest image decoded, in pixels (default: Pillow's limit against decompression bombs, MAX_PIXELS). */
  maxPixels?: number
  /** What errors call an image that is given as bytes. */
  name?: string
}

/** Pillow's default limit: 2^30 / 4 / 3 * 2 pixels. */
export const MAX_PIXELS = 178_956_970

/**
 * Decodes a file (a path, or its bytes) by its content to 8-bit RGB as Pillow's `convert('RGB')` does: colour profiles
 * and gamma are ignored, alpha is dropped and not blended, CMYK is converted by its plain formula, the first frame of an
 * animation is taken, 16 bits of RGB keep the upper 8. 16 bits of grey without alpha are clipped at 255, which makes all
 * but the darkest white: Pillow does so, and numbers are to agree with it. Throws DecodeError, also for a header that
 * claims more than `maxPixels`, before memory is taken for them.
 */
export async function decodeImage(
  input: string | Uint8Array,
  options: DecodeOptions = {},
): Promise<RgbImage> {
  const path = typeof input === 'string' ? input : (options.name ?? 'the image given as bytes')
  const bytes = typeof input === 'string' ? await readImageFile(input) : input
  const content = sniffContent(bytes)
  if (content.format === null) throw notAnImage(path, content)
  const { maxPixels = MAX_PIXELS, autoOrient = false } = options
  try {
    return await DECODERS[content.format](bytes, maxPixels, autoOrient)
  } catch (error) {
    throw cannotDecode(path, content.looksLike, error as Error, maxPixels)
  }
}
