import type { RgbImage } from '../pixels/image.js'
import { asStill, asStored } from './avif.js'
import { BadImage, cannotDecode, checkSize, notAnImage } from './decodeError.js'
import { decodeGif } from './gif.js'
import { readJpegHeader } from './jpegHeader.js'
import { orient, orientationOf } from './orientation.js'
import { pngOrientation, readPngHeader } from './pngHeader.js'
import { readImageFile } from './readImageFile.js'
import { readCmyk, readRgb, readWide, type Samples } from './sharpPixels.js'
import { type ImageFormat, sniffContent } from './sniff.js'
import { readTiffHeader } from './tiffHeader.js'
import { clippedGrey, cmykToRgb } from './toRgb.js'
import { webpOrientation } from './webp.js'

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

type Decoder = (bytes: Uint8Array, maxPixels: number, autoOrient: boolean) => Promise<RgbImage>

const DECODERS: Record<ImageFormat, Decoder> = {
  async JPEG(bytes, maxPixels, autoOrient) {
    const header = readJpegHeader(bytes)
    checkSize(header.width, header.height, maxPixels)
    const image =
      header.components === 4
        ? cmykToRgb(await readCmyk(bytes, maxPixels))
        : rgb(await readRgb(bytes, maxPixels))
    return autoOrient ? orient(image, orientationOf(header)) : image
  },

  async PNG(bytes, maxPixels, autoOrient) {
    const { width, height, depth, colorType } = readPngHeader(bytes)
    checkSize(width, height, maxPixels)
    const image =
      depth === 16 && colorType === 0
        ? clippedGrey(await readWide(bytes, maxPixels, 'grey16', 'ushort'))
        : rgb(await readRgb(bytes, maxPixels))
    return autoOrient ? orient(image, orientationOf(pngOrientation(bytes))) : image
  },

  async GIF(bytes, maxPixels) {
    return decodeGif(bytes, maxPixels)
  },

  async WebP(bytes, maxPixels, autoOrient) {
    const image = rgb(await readRgb(bytes, maxPixels))
    return autoOrient ? orient(image, orientationOf(webpOrientation(bytes))) : image
  },

  async TIFF(bytes, maxPixels) {
    const { width, height, photometric, bits, signed, samples, xmp } = readTiffHeader(bytes)
    checkSize(width, height, maxPixels)
    const wideGrey = bits === 16 && photometric <= 1 && samples === 1
    const image = wideGrey
      ? clippedGrey(
          await readWide(bytes, maxPixels, 'grey16', signed ? 'short' : 'ushort'),
          photometric === 0,
        )
      : photometric === 5 && bits === 16
        ? cmykToRgb(await readWide(bytes, maxPixels, 'cmyk', 'ushort'), 8)
        : photometric === 5
          ? cmykToRgb(await readCmyk(bytes, maxPixels))
          : rgb(await readRgb(bytes, maxPixels))
    return orient(image, orientationOf({ exif: bytes, xmp }))
  },

  async AVIF(bytes, maxPixels, autoOrient) {
    const image = rgb(await readRgb(asStill(bytes), maxPixels))
    return autoOrient ? image : asStored(image, bytes)
  },
}

function rgb({ data, width, height, channels }: Samples<Uint8Array>): RgbImage {
  if (channels !== 3) throw new BadImage(`it has ${channels} channels`, 'unsupported')
  return { data, width, height }
}
