import { readFile } from 'node:fs/promises'
import sharp, { type Sharp } from 'sharp'
import type { RgbImage } from '../data/image.js'
import { IMAGENET_NORMALIZATION, type Normalization } from '../data/normalize.js'
import { TrexError } from '../errors.js'

/** Pixels to show: 8-bit RGB, [height, width, 3], row-major. */
export type Picture = RgbImage

/**
 * Turns a crop as an encoder is fed it back into pixels: v * std + mean, rounded and clamped to 8 bits.
 * @param crop normalised float32 planes, [3, height, width]
 */
export function denormalize(
  crop: Float32Array,
  width: number,
  height: number,
  { mean, std }: Normalization = IMAGENET_NORMALIZATION,
): Picture {
  const plane = width * height
  if (crop.length !== 3 * plane) {
    throw new TrexError(`A crop of 3 x ${height} x ${width} has ${3 * plane} values, not ${crop.length}.`)
  }
  // Uint8ClampedArray rounds to nearest and clamps.
  const data = new Uint8ClampedArray(3 * plane)
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) data[3 * i + c] = (crop[c * plane + i]! * std[c]! + mean[c]!) * 255
  }
  return { width, height, data: new Uint8Array(data.buffer) }
}

/** Pixels as a WebP data: URI, at their own size. */
export async function pictureUri({ data, width, height }: Picture): Promise<string> {
  return webp(sharp(data, { raw: { width, height, channels: 3 } }))
}

/**
 * A picture file as a WebP data: URI of `size` x `size` pixels, the whole picture on white.
 * @throws TrexError naming the file if it cannot be read as a picture
 */
export async function thumbnailUri(path: string, size: number): Promise<string> {
  try {
    const source = sharp(await readFile(path))
      .autoOrient()
      .flatten({ background: '#ffffff' })
    return await webp(source.resize(size, size, { fit: 'contain', background: '#ffffff' }))
  } catch (cause) {
    throw new TrexError(`The report needs the picture ${path}, which cannot be read.`, {
      hint: 'Put the picture back where it was when the features were extracted, or leave it out of the report.',
      cause,
    })
  }
}

async function webp(image: Sharp): Promise<string> {
  const bytes = await image.webp({ quality: 86 }).toBuffer()
  return `data:image/webp;base64,${bytes.toString('base64')}`
}
