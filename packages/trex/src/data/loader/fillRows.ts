import { DecodeError, type DecodeOptions, decodeImage } from '../decode/decode.js'
import { applyEvalTransform, type EvalTransform } from '../pixels/evalTransform.js'
import type { RgbImage } from '../pixels/image.js'
import { type CropGroup, multiCrop } from '../pixels/multiCrop.js'
import { type Normalization, normalizationTable, writeNormalized } from '../pixels/normalize.js'

/** What is made of an image: the crops of a training step, or the one of evaluation. */
export type Transform =
  | { kind: 'multiCrop'; groups: readonly CropGroup[]; seed: number }
  | { kind: 'eval'; transform: EvalTransform }

/** What stays the same from batch to batch; plain data, so that it can be sent to a worker. */
export interface FillSettings {
  transform: Transform
  normalization: Normalization
  decode: DecodeOptions
  /** Decoded images are kept up to this many bytes; 0 keeps none. */
  cacheBytes: number
}

/** Rows of one batch to fill; plain data, so that it can be sent to a worker. */
export interface FillJob {
  epoch: number
  /** Images in the batch. */
  size: number
  /** One float32 buffer a crop group, [count * size, 3, S, S], crop-major. */
  buffers: SharedArrayBuffer[]
  items: { row: number; sample: number; path: string }[]
  /** One shared number: not zero once the batch is no longer wanted. */
  cancelled: Int32Array
}

/** Why a row could not be filled. */
export interface FillFailure {
  row: number
  error: Error
  /** Of a DecodeError; here as well because a worker's message keeps only an error's message and stack. */
  path?: string
  hint?: string
}

/** Fills rows one after another; gives the first failure, or null. */
export type FillRows = (job: FillJob) => Promise<FillFailure | null>

/** `count` square crops an image, of `size` pixels. */
export type CropShape = Pick<CropGroup, 'count' | 'size'>

/** The crops an image becomes, one entry a batch buffer. */
export function cropShapes(transform: Transform): CropShape[] {
  if (transform.kind === 'eval') return [{ count: 1, size: transform.transform.crop }]
  return transform.groups.map(({ count, size }) => ({ count, size }))
}

/** A function that decodes, transforms and normalises images into batch buffers. */
export function createFillRows(settings: FillSettings): FillRows {
  const { transform } = settings
  const table = normalizationTable(settings.normalization)
  const read = cachedReader(settings)

  function cropsOf(image: RgbImage, epoch: number, sample: number): RgbImage[][] {
    if (transform.kind === 'eval') return [[applyEvalTransform(image, transform.transform)]]
    return multiCrop(image, transform.groups, { seed: transform.seed, epoch, sample })
  }

  return async ({ epoch, size, buffers, items, cancelled }) => {
    const targets = buffers.map((buffer) => new Float32Array(buffer))
    for (const { row, sample, path } of items) {
      if (Atomics.load(cancelled, 0) !== 0) return null
      try {
        const groups = cropsOf(await read(sample, path), epoch, sample)
        for (const [g, crops] of groups.entries()) {
          for (const [c, crop] of crops.entries()) {
            writeNormalized(crop, table, targets[g]!, (c * size + row) * crop.data.length)
          }
        }
      } catch (error) {
        return failure(row, error as Error)
      }
    }
    return null
  }
}

function failure(row: number, error: Error): FillFailure {
  if (!(error instanceof DecodeError)) return { row, error }
  const { path, hint } = error
  return { row, error, path, ...(hint === undefined ? {} : { hint }) }
}

/** Decodes, and keeps the first images that fit: an epoch's order is random, so evicting any would gain nothing. */
function cachedReader({
  decode,
  cacheBytes,
}: FillSettings): (sample: number, path: string) => Promise<RgbImage> {
  const cache = new Map<number, RgbImage>()
  let room = cacheBytes
  return async (sample, path) => {
    const known = cache.get(sample)
    if (known) return known
    const image = await decodeImage(path, decode)
    if (image.data.length <= room) {
      room -= image.data.length
      cache.set(sample, image)
    }
    return image
  }
}
