import type { EvalTransform } from '../evalTransform.js'
import type { RgbImage } from '../image.js'
import { type CropGroup, type CropKey, sampleCrops } from '../multiCrop.js'
import type { CropArray } from '../normalize.js'
import type { Pixels } from './pixels.js'

/** Where the crops of an image go. */
export interface CropTarget {
  /** One array a crop group, [count, batch, 3, size, size] or of bytes, [count, batch, size, size, 3]. */
  targets: readonly CropArray[]
  /** Images a batch, and which of them this one is. */
  batch: number
  row: number
  /** From `normalizationTable`; bytes are not normalised. */
  table: Float32Array
}

/** Writes all crops of an image, those of `multiCrop`, to their places in a batch. */
export function fillCrops(
  pixels: Pixels,
  image: RgbImage,
  groups: readonly CropGroup[],
  key: CropKey,
  { targets, batch, row, table }: CropTarget,
): void {
  pixels.load(image)
  for (const [g, crops] of sampleCrops(image, groups, key).entries()) {
    const { size } = groups[g]!
    for (const [i, drawn] of crops.entries()) {
      pixels.augment(drawn, size)
      writeCrop(pixels, table, targets[g]!, (i * batch + row) * 3 * size * size)
    }
  }
  pixels.trim()
}

/** Writes the crop of evaluation of an image to its place in a batch of one group of one crop. */
export function fillEvalCrop(
  pixels: Pixels,
  image: RgbImage,
  transform: EvalTransform,
  { targets, row, table }: Omit<CropTarget, 'batch'>,
): void {
  pixels.load(image)
  pixels.evaluate(transform)
  writeCrop(pixels, table, targets[0]!, row * 3 * transform.crop * transform.crop)
  pixels.trim()
}

function writeCrop(pixels: Pixels, table: Float32Array, out: CropArray, offset: number): void {
  if (out instanceof Uint8Array) pixels.write(out, offset)
  else pixels.writeNormalized(table, out, offset)
}
