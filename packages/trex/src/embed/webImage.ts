import { TrexError } from '../errors.js'
import type { DecodedImage } from './preprocess.js'
import { fetched } from './webFetch.js'

/**
 * An image in a browser: its address, a File or Blob, `ImageData` or pixels like it, and what a canvas draws: ImageBitmap,
 * <img>, <canvas>, <video>, OffscreenCanvas, VideoFrame.
 */
export type WebImage = string | URL | Blob | DecodedImage | CanvasImageSource

/** Pixels as they are in the file: neither to the screen's colours, nor multiplied by alpha. */
const AS_STORED = { colorSpaceConversion: 'none', premultiplyAlpha: 'none' } as const

/** Decodes an image. Rejects with TrexError that says what is wrong with it. */
export async function decodeWebImage(image: WebImage): Promise<DecodedImage> {
  if (typeof image === 'string' || image instanceof URL)
    return decodeWebImage(await (await fetched(image)).blob())
  if (typeof image === 'object' && image !== null && 'data' in image) return image
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(image, AS_STORED)
  } catch (cause) {
    throw new TrexError(`the browser does not decode it: ${(cause as Error).message}`, {
      hint: 'give an image file of a kind that this browser shows, an image that has been loaded, or ImageData',
      cause,
    })
  }
  try {
    return pixelsOf(bitmap)
  } finally {
    bitmap.close()
  }
}

function pixelsOf(bitmap: ImageBitmap): ImageData {
  const { width, height } = bitmap
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
  if (!context) throw new TrexError(`this browser has no canvas of ${width} x ${height} pixels`)
  context.drawImage(bitmap, 0, 0)
  try {
    return context.getImageData(0, 0, width, height)
  } catch (cause) {
    throw new TrexError(`its pixels may not be read: ${(cause as Error).message}`, {
      hint: 'load it with the attribute crossorigin, from a server that allows this page (CORS)',
      cause,
    })
  }
}

/** What errors call an image. */
export function webImageName(image: WebImage): string | undefined {
  if (typeof image === 'string') return image
  if (image instanceof URL) return image.href
  return typeof File !== 'undefined' && image instanceof File ? image.name : undefined
}
