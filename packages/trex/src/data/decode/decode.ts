import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import { TrexError } from '../../errors.js'
import type { RgbImage } from '../pixels/image.js'
import { type Content, sniffContent } from './sniff.js'

// Images are decoded side by side, one thread each; libvips' own cache would only hold files that are read once.
sharp.concurrency(1)
sharp.cache(false)

/** An image file that cannot be decoded; the message says which file and what it looks like. */
export class DecodeError extends TrexError {
  /** The file, or the name given for a buffer. */
  readonly path: string

  constructor(path: string, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options)
    this.path = path
  }
}

/** How an image is decoded. */
export interface DecodeOptions {
  /** Turn the image as its EXIF orientation says; off by default, as in torchvision. */
  autoOrient?: boolean
  /** The largest image decoded, in pixels (default: Pillow's limit against decompression bombs). */
  maxPixels?: number
  /** What errors call an image that is given as bytes. */
  name?: string
}

/** Pillow's default limit: 2^30 / 4 / 3 * 2 pixels. */
export const MAX_PIXELS = 178_956_970

/**
 * Decodes a file (a path, or its bytes) by its content to 8-bit RGB as Pillow's `convert('RGB')` does: colour
 * profiles are ignored, alpha is dropped, 16 bits keep the upper 8, CMYK is converted by its plain formula, the first
 * frame of an animation is taken. Throws DecodeError.
 */
export async function decodeImage(
  input: string | Uint8Array,
  options: DecodeOptions = {},
): Promise<RgbImage> {
  const path = typeof input === 'string' ? input : (options.name ?? 'the image given as bytes')
  const bytes = typeof input === 'string' ? await readImageFile(input) : input
  const content = sniffContent(bytes)
  if (content.format === null) throw notAnImage(path, content)
  const settings = {
    ignoreIcc: true,
    failOn: 'error',
    limitInputPixels: options.maxPixels ?? MAX_PIXELS,
  } as const
  try {
    const mayBeCmyk = content.format === 'JPEG' || content.format === 'TIFF'
    const cmyk = mayBeCmyk && (await sharp(bytes, settings).metadata()).space === 'cmyk'
    let pipeline = sharp(bytes, settings)
    if (options.autoOrient) pipeline = pipeline.autoOrient()
    pipeline = cmyk
      ? pipeline.pipelineColourspace('cmyk').toColourspace('cmyk')
      : pipeline.removeAlpha().toColourspace('srgb')
    const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true })
    const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const rgb = cmyk ? cmykToRgb(pixels, info.channels) : pixels
    if (rgb.length !== info.width * info.height * 3) throw new Error(`${info.channels} channels`)
    return { data: rgb, width: info.width, height: info.height }
  } catch (error) {
    throw unreadable(path, content.looksLike, error as Error, settings.limitInputPixels)
  }
}

/** The error for a file whose first bytes are not those of an image. */
export function notAnImage(path: string, { looksLike, hint }: Content): DecodeError {
  return new DecodeError(path, `${path} is not an image: it looks like ${looksLike}`, hint ? { hint } : {})
}

async function readImageFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    throw cannotRead(path, error as Error)
  }
}

/** The error for a file that the system does not let be read. */
export function cannotRead(path: string, cause: NodeJS.ErrnoException): DecodeError {
  const what = cause.code === 'ENOENT' ? 'there is no such file' : cause.message
  return new DecodeError(path, `cannot read ${path}: ${what}`, { cause })
}

function unreadable(path: string, looksLike: string, error: Error, maxPixels: number): DecodeError {
  const reason = error.message.trim().split('\n')[0]
  if (/pixel limit/i.test(error.message)) {
    const message = `${path} is ${looksLike} of more than ${maxPixels.toLocaleString('en')} pixels`
    return new DecodeError(path, message, { hint: 'shrink it or remove it', cause: error })
  }
  const message = `${path} is ${looksLike} that cannot be decoded, truncated or damaged (${reason})`
  return new DecodeError(path, message, { hint: 'fetch it again, or remove it', cause: error })
}

/** R = (255 - K) * (255 - C) / 255 and so on, rounded to 8 bits as Pillow rounds. */
function cmykToRgb(cmyk: Uint8Array, channels: number): Uint8Array {
  const pixels = cmyk.length / channels
  const rgb = new Uint8Array(pixels * 3)
  for (let i = 0; i < pixels; i++) {
    const light = 255 - cmyk[i * channels + 3]!
    for (let c = 0; c < 3; c++) {
      const product = cmyk[i * channels + c]! * light + 128
      rgb[i * 3 + c] = light - (((product >> 8) + product) >> 8)
    }
  }
  return rgb
}
