import { DecodeError, type DecodeOptions } from '../decode/decode.js'
import type { EvalTransform } from '../pixels/evalTransform.js'
import { fillCrops, fillEvalCrop } from '../pixels/fast/fillCrops.js'
import { Pixels } from '../pixels/fast/pixels.js'
import type { CropGroup } from '../pixels/multiCrop.js'
import { type CropArray, type Normalization, normalizationTable } from '../pixels/normalize.js'
import type { Sample } from '../sources/sample.js'
import { openReader } from './imageReader.js'

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
  /** One array a crop group in shared memory, crop-major; bytes are not normalised. */
  targets: CropArray[]
  items: FillItem[]
  /** Go on after a bad image; else the rows after it are left as they are. */
  skipBad: boolean
  /** Decode the next image (in threads of libuv and libvips) while the crops of one are made. */
  readAhead: boolean
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

/** What a caller of FillRows may want to know, and may tell. */
export interface FillWatch {
  /** Called before the row at that place of the items is begun. */
  begin?: (place: number) => void
  /** The items of the jobs that come next. */
  following?: () => Iterable<FillItem>
}

/** Fills rows one after another; gives the rows of bad images. */
export type FillRows = (job: FillJob, watch?: FillWatch) => Promise<BadRow[]>

/** `count` square crops an image, of `size` pixels. */
export type CropShape = Pick<CropGroup, 'count' | 'size'>

/** The crops an image becomes, one entry a batch buffer. */
export function cropShapes(transform: Transform): CropShape[] {
  if (transform.kind === 'eval') return [{ count: 1, size: transform.transform.crop }]
  return transform.groups.map(({ count, size }) => ({ count, size }))
}

/** A function that decodes images, and transforms and normalises them into batch buffers. */
export function createFillRows(settings: FillSettings): FillRows {
  const pixels = new Pixels()
  const table = normalizationTable(settings.normalization)
  const reader = openReader(settings)

  return async ({ transform, size, targets, items, skipBad, readAhead, cancelled }, watch = {}) => {
    const bad: BadRow[] = []
    for (const [place, item] of items.entries()) {
      if (Atomics.load(cancelled, 0) !== 0) break
      watch.begin?.(place)
      try {
        const image = await reader.read(item, transform.kind === 'multiCrop')
        if (readAhead) reader.ahead(concat(items.slice(place + 1), watch.following?.() ?? []))
        const target = { targets, batch: size, row: item.row, table }
        if (transform.kind === 'eval') fillEvalCrop(pixels, image, transform.transform, target)
        else fillCrops(pixels, image, transform.groups, { ...transform, sample: item.index }, target)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        const { path, message, hint } = error
        bad.push({ row: item.row, path, message, ...(hint === undefined ? {} : { hint }) })
        if (!skipBad) break
      }
    }
    reader.forget(items)
    return bad
  }
}

function* concat(first: Iterable<FillItem>, second: Iterable<FillItem>): Generator<FillItem> {
  yield* first
  yield* second
}
