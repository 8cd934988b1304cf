import { fileURLToPath } from 'node:url'
import { decodeImage } from '../data/decode/decode.js'
import { TrexError } from '../errors.js'
import type { DecodedImage } from './preprocess.js'

/** An image in Node: a file's path or file: URL, the bytes of an encoded one, or decoded pixels as `ImageData`. */
export type NodeImage = string | URL | Uint8Array | DecodedImage

/** Decodes an image. Rejects with TrexError that says what is wrong with it. */
export async function decodeInput(
  image: NodeImage,
  options: { readonly autoOrient: boolean },
): Promise<DecodedImage> {
  if (typeof image === 'string') return decodeImage(pathOf(image), options)
  if (image instanceof URL) return decodeImage(pathOf(image.href), options)
  if (image instanceof Uint8Array) return decodeImage(image, options)
  if (typeof image === 'object' && image !== null && 'data' in image) return image
  const what = image === null ? 'null' : typeof image === 'object' ? 'an object' : `a ${typeof image}`
  throw new TrexError(`it is ${what}, not an image`, {
    hint: 'give a path, a file: URL, the bytes of an image file, or { data, width, height }',
  })
}

/** What errors call an image. */
export function imageName(image: NodeImage): string | undefined {
  return typeof image === 'string' ? image : image instanceof URL ? image.href : undefined
}

/** The path that a path or file: URL means. */
function pathOf(text: string): string {
  if (text.startsWith('file:')) return fileURLToPath(text)
  if (/^(https?|data|blob):/.test(text))
    throw new TrexError('it is not on this machine', {
      hint: 'fetch it first, and give its bytes: new Uint8Array(await (await fetch(url)).arrayBuffer())',
    })
  return text
}
