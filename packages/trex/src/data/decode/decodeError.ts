import { TrexError } from '../../errors.js'
import type { Content } from './sniff.js'

/** An image that cannot be read or decoded; the message says which file, what it looks like and what is wrong. */
export class DecodeError extends TrexError {
  /** The file, or the name given for a buffer. */
  readonly path: string

  constructor(path: string, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options)
    this.path = path
  }
}

/** The error for a file whose first bytes are not those of an image. */
export function notAnImage(path: string, { looksLike, hint }: Content): DecodeError {
  return new DecodeError(path, `${path} is not an image: it looks like ${looksLike}`, hint ? { hint } : {})
}

/** What is wrong inside an image, said by code that does not know the file's name. */
export class BadImage extends Error {
  /** `truncated or damaged`, `too many pixels` or `of a kind that is not decoded`. */
  readonly kind: 'damaged' | 'large' | 'unsupported'

  constructor(message: string, kind: BadImage['kind'] = 'damaged') {
    super(message)
    this.kind = kind
  }
}

const HINTS = {
  damaged: 'fetch it again, or remove it',
  large: 'shrink it or remove it',
  unsupported: 'convert it to PNG or an ordinary JPEG, or remove it',
} as const

/** The error for an image that was refused; `looksLike` has an article, `cause` is a BadImage or a library's error. */
export function cannotDecode(path: string, looksLike: string, cause: Error, maxPixels: number): DecodeError {
  const large = /pixel limit|exceeds.*dimension/i.test(cause.message)
  const kind = cause instanceof BadImage ? cause.kind : large ? 'large' : 'damaged'
  const reason = cause.message.trim().split('\n')[0]
  const own = cause instanceof BadImage ? ` (${reason})` : ''
  const message = {
    // What libvips says is left to `cause`: with several images in the making it may be of another one.
    damaged: `${path} is ${looksLike} that cannot be decoded, truncated or damaged${own}`,
    large: `${path} is ${looksLike} of more than ${maxPixels.toLocaleString('en')} pixels`,
    unsupported: `${path} is ${looksLike} of a kind that is not decoded: ${reason}`,
  }[kind]
  return new DecodeError(path, message, { hint: HINTS[kind], cause })
}

/** Throws BadImage unless an image of this size may be decoded. */
export function checkSize(width: number, height: number, maxPixels: number): void {
  if (width < 1 || height < 1) throw new BadImage(`its size is ${width}x${height}`)
  if (width * height > maxPixels) throw new BadImage(`${width}x${height} pixels`, 'large')
}
