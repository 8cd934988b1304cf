import type { RgbImage } from '../pixels/image.js'
import { asStill, asStored } from './avif.js'
import { BadImage, checkSize } from './decodeError.js'
import { decodeGif } from './gif.js'
import { checkAfterScan, jpegOrientation, readJpegHeader } from './jpegHeader.js'
import { orient, orientationOf } from './orientation.js'
import { pngOrientation, readPngHeader } from './pngHeader.js'
import { type Limits, readCmyk, readRgb, readRgba, readWide, type Samples } from './sharpPixels.js'
import type { ImageFormat } from './sniff.js'
import { readTiffHeader } from './tiffHeader.js'
import { clippedGrey, cmykToRgb, unmultiplied } from './toRgb.js'
import { webpOrientation } from './webp.js'

/** Decodes bytes of a format; `turned` asks for the orientation that they say. Rejects with BadImage or libvips' error. */
type Decoder = (bytes: Uint8Array, maxPixels: number, turned: boolean) => Promise<RgbImage>

/** What libvips does of each format, and what has to be done around it to get what Pillow gets. */
export const DECODERS: Readonly<Record<ImageFormat, Decoder>> = {
  async JPEG(bytes, maxPixels, turned) {
    const header = readJpegHeader(bytes)
    checkSize(header.width, header.height, maxPixels)
    const limits = { maxPixels, failOn: 'error' } as const
    const read = async () =>
      header.components === 4 ? cmykToRgb(await readCmyk(bytes, limits)) : rgb(await readRgb(bytes, limits))
    // The check takes place while a thread decodes.
    const [image] = await Promise.all([read(), Promise.resolve().then(() => checkAfterScan(bytes, header))])
    return turned ? orient(image, orientationOf(jpegOrientation(header))) : image
  },

  async PNG(bytes, maxPixels, turned) {
    const { width, height, depth, colorType } = readPngHeader(bytes)
    checkSize(width, height, maxPixels)
    const limits = { maxPixels, failOn: 'error' } as const
    const image =
      depth === 16 && colorType === 0
        ? clippedGrey(await readWide(bytes, limits, 'grey16', 'ushort'))
        : rgb(await readRgb(bytes, limits))
    return turned ? orient(image, orientationOf(pngOrientation(bytes))) : image
  },

  GIF: decodeGif,

  async WebP(bytes, maxPixels, turned) {
    const image = rgb(await readRgb(bytes, { maxPixels, failOn: 'error' }))
    return turned ? orient(image, orientationOf(webpOrientation(bytes))) : image
  },

  async TIFF(bytes, maxPixels) {
    const header = readTiffHeader(bytes)
    checkSize(header.width, header.height, maxPixels)
    // Damaged tiles are but a warning to libvips.
    const image = await readTiff(bytes, header, { maxPixels, failOn: 'warning' })
    return orient(image, orientationOf({ exif: bytes, xmp: header.xmp }))
  },

  async AVIF(bytes, maxPixels, turned) {
    const image = rgb(await readRgb(asStill(bytes), { maxPixels, failOn: 'error' }))
    return turned ? image : asStored(image, bytes)
  },
}

async function readTiff(
  bytes: Uint8Array,
  { photometric, bits, signed, samples, premultiplied }: ReturnType<typeof readTiffHeader>,
  limits: Limits,
): Promise<RgbImage> {
  if (premultiplied !== undefined) {
    // libvips would divide by alpha with floating point; called plain alpha, it leaves the colours as they are.
    const plain = new Uint8Array(bytes)
    plain[premultiplied] = 2
    return unmultiplied(await readRgba(plain, limits))
  }
  if (photometric === 5) {
    if (bits === 16) return cmykToRgb(await readWide(bytes, limits, 'cmyk', 'ushort'), 8)
    return cmykToRgb(await readCmyk(bytes, limits))
  }
  if (bits === 16 && photometric <= 1 && samples === 1) {
    const levels = await readWide(bytes, limits, 'grey16', signed ? 'short' : 'ushort')
    return clippedGrey(levels, photometric === 0)
  }
  return rgb(await readRgb(bytes, limits))
}

function rgb({ data, width, height, channels }: Samples<Uint8Array>): RgbImage {
  if (channels !== 3) throw new BadImage(`it has ${channels} channels`, 'unsupported')
  return { data, width, height }
}
