import { readFile } from 'node:fs/promises'
import sharp, { type Sharp } from 'sharp'
import type { RgbImage } from '../data/pixels/image.js'
import { TrexError } from '../errors.js'

/** Pixels to show: 8-bit RGB, [height, width, 3], row-major. */
export type Picture = RgbImage

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
