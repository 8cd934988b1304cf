import { DecodeError, type DecodeOptions } from '../decode/decode.js'
import { applyEvalTransform, type EvalTransform } from '../pixels/evalTransform.js'
import type { RgbImage } from '../pixels/image.js'
import { type CropGroup, multiCrop } from '../pixels/multiCrop.js'
import { type Normalization, normalizationTable, writeNormalized } from '../pixels/normalize.js'
import type { Sample } from '../sources/sample.js'
import { readSample } from './readSample.js'

/** What is made of an image: the crops of a training step, or the one of evaluation. */
export type Transform =
  | { kind: 'multiCrop'; groups: readonly CropGroup[]; seed: number; epoch: number }
  | { kind: 'eval'; transform: EvalTransform }

/** What stays the same from batch to batch; plain data, so that it can be sent to a worker. */
export interface FillSettings {
  normalization: Normalization
  decode: Pick<DecodeOptions, 'autoOrient' | 'maxPixels'>
  /** Decoded training images are kept up to this many bytes; 0 keeps none. */
  cacheBytes: number
}

/** One row of a batch. */
export interface FillItem {
  row: number
  /** The sample's number, which its crops are drawn by. */
  index: number
  sample: Sample
  /** The bytes of a remote sample. */
  bytes?: Uint8Array
}

/** Rows of one batch to fill; plain data, so that it can be sent to a worker. */
export interface FillJob {
  transform: Transform
  /** Images in the batch. */
  size: number
  /** One float32 buffer a crop group, [count * size, 3, S, S], crop-major. */
  buffers: SharedArrayBuffer[]
  items: FillItem[]
  /** Go on after a bad image; else the rows after it are left as they are. */
  skipBad: boolean
  /** One shared number: not zero once the batch is no longer wanted. */
  cancelled: Int32Array
}

/** A row whose image cannot be read: a DecodeError as plain data, as a worker's message keeps no class. */
export interface BadRow {
  row: number
  path: string
  message: string
  hint?: string
}

/** Fills rows one after another, telling of each before it begins; gives the rows of bad images. */
export type FillRows = (job: FillJob, begin: (place: number) => void) => Promise<BadRow[]>

/** `count` square crops an image, of `size` pixels. */
export type CropShape = Pick<CropGroup, 'count' | 'size'>

/** The crops an image becomes, one entry a batch buffer. */
export function cropShapes(transform: Transform): CropShape[] {
  if (transform.kind === 'eval') return [{ count: 1, size: transform.transform.crop }]
  return transform.groups.map(({ count, size }) => ({ count, size }))
}

/** A function that decodes, transforms and normalises images into batch buffers. */
export function createFillRows(settings: FillSettings): FillRows {
  const table = normalizationTable(settings.normalization)
  const read = cachedReader(settings)

  return async ({ transform, size, buffers, items, skipBad, cancelled }, begin) => {
    const targets = buffers.map((buffer) => new Float32Array(buffer))
    const bad: BadRow[] = []
    for (const [place, item] of items.entries()) {
      if (Atomics.load(cancelled, 0) !== 0) return bad
      begin(place)
      try {
        const groups = cropsOf(await read(item, transform.kind === 'multiCrop'), transform, item.index)
        for (const [g, crops] of groups.entries()) {
          for (const [c, crop] of crops.entries()) {
            writeNormalized(crop, table, targets[g]!, (c * size + item.row) * crop.data.length)
          }
        }
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        const { path, message, hint } = error
        bad.push({ row: item.row, path, message, ...(hint === undefined ? {} : { hint }) })
        if (!skipBad) return bad
      }
    }
    return bad
  }
}

function cropsOf(image: RgbImage, transform: Transform, sample: number): RgbImage[][] {
  if (transform.kind === 'eval') return [[applyEvalTransform(image, transform.transform)]]
  const { groups, seed, epoch } = transform
  return multiCrop(image, groups, { seed, epoch, sample })
}

/** Decodes, and keeps the first images that fit: an epoch's order is random, so evicting any would gain nothing. */
function cachedReader({ decode, cacheBytes }: FillSettings) {
  const cache = new Map<string, RgbImage>()
  let room = cacheBytes
  return async ({ sample, bytes }: FillItem, keep: boolean): Promise<RgbImage> => {
    const known = cache.get(sample.path)
    if (known) return known
    const image = await readSample(sample, decode, bytes)
    if (keep && image.data.length <= room) {
      room -= image.data.length
      cache.set(sample.path, image)
    }
    return image
  }
}
