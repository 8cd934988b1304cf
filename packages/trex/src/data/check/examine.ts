import { createHash } from 'node:crypto'
import sharp, { type Metadata } from 'sharp'
import { decodeImage, notAnImage } from '../decode/decode.js'
import { readFully, withRegularFile } from '../decode/regularFile.js'
import { sniffContent } from '../decode/sniff.js'
import { knownProblem } from '../sources/checkImages.js'
import { readEncoded } from '../sources/readEncoded.js'
import type { PixelRecord, Sample } from '../sources/sample.js'
import { createBudget } from './budget.js'

/** What was found out about an image that can be decoded. */
export interface Finding {
  /** `JPEG`, `PNG`, ..., or `pixels` for an image that is stored as such. */
  readonly format: string
  /** As in `RGB`, `16-bit grey` or `RGB with alpha`. */
  readonly color: string
  readonly width: number
  readonly height: number
  /** Of the encoded image. */
  readonly bytes: number
  /** The first 16 bytes of the SHA-256 of its bytes, in base64. */
  readonly digest: string
}

const START_BYTES = 2048
const fileBudget = createBudget(2 ** 28) // bytes
const pixelBudget = createBudget(2 ** 27) // pixels of 3 bytes

/**
 * Reads and decodes an image; `fetch` brings the bytes of one on a server. However many are examined at once, only so
 * many bytes and pixels are held at a time. Rejects with DecodeError for an image that cannot be read.
 */
export async function examine(sample: Sample, fetch: () => Promise<Uint8Array>): Promise<Finding> {
  const known = knownProblem(sample)
  if (known) throw known
  const { path, at } = sample
  if (at?.kind === 'pixels') return examinePixels(at)
  if (at?.kind === 'remote') return examineBytes(path, await fetch())
  return withFileBytes(sample, (bytes) => examineBytes(path, bytes))
}

/** The bytes of a file or a part of one, once there is room for them; content that is no image is not read whole. */
async function withFileBytes<T>({ path, at }: Sample, use: (bytes: Uint8Array) => Promise<T>): Promise<T> {
  const slice = at?.kind === 'slice' ? at : undefined
  const [length, start] = await withRegularFile(slice?.path ?? path, async (file, size) => {
    const start = new Uint8Array(Math.min(slice?.length ?? size, START_BYTES))
    return [slice?.length ?? size, start.subarray(0, await readFully(file, start, slice?.offset))] as const
  })
  const content = sniffContent(start)
  if (content.format === null) throw notAnImage(path, content)
  const release = await fileBudget.take(length)
  try {
    return await use(await readEncoded(path, slice))
  } finally {
    release()
  }
}

async function examineBytes(path: string, bytes: Uint8Array): Promise<Finding> {
  const content = sniffContent(bytes)
  if (content.format === null) throw notAnImage(path, content)
  const metadata = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch(() => null) // decoding says what is wrong
  const release = await pixelBudget.take(metadata ? metadata.width * metadata.height : 0)
  try {
    const { width, height } = await decodeImage(bytes, { name: path })
    const color = metadata ? colorOf(metadata) : 'unknown'
    return {
      format: content.format,
      color,
      width,
      height,
      bytes: bytes.length,
      digest: digestOf(bytes),
    }
  } finally {
    release()
  }
}

function examinePixels({ memory, offset, width, height, channels }: PixelRecord): Finding {
  const bytes = new Uint8Array(memory, offset, width * height * channels)
  const color = channels === 1 ? 'grey' : 'RGB'
  return { format: 'pixels', color, width, height, bytes: bytes.length, digest: digestOf(bytes) }
}

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest().toString('base64', 0, 16)

const SPACES: Record<string, string> = {
  'b-w': 'grey',
  grey16: 'grey',
  cmyk: 'CMYK',
  srgb: 'RGB',
  rgb16: 'RGB',
}
const DEPTHS: Record<string, string> = { ushort: '16-bit ', float: 'float ' }

function colorOf({ space, depth, hasAlpha, isPalette }: Metadata): string {
  const name = isPalette ? 'palette' : (SPACES[space] ?? space)
  return `${DEPTHS[depth] ?? ''}${name}${hasAlpha ? ' with alpha' : ''}`
}
