import type { RgbImage } from './image.js'

/** Mean and standard deviation of each channel, for values in 0..1. */
export interface Normalization {
  mean: readonly [number, number, number]
  std: readonly [number, number, number]
}

/** The statistics of ImageNet's training images that every published encoder here was trained with. */
export const IMAGENET_NORMALIZATION: Normalization = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
}

/** The float32 value of each 8-bit value of each channel: (v / 255 - mean) / std, [3 * 256]. */
export function normalizationTable({ mean, std }: Normalization): Float32Array {
  return Float32Array.from({ length: 3 * 256 }, (_, i) => {
    const c = i >> 8
    const centred = Math.fround(Math.fround((i & 255) / 255) - Math.fround(mean[c]!))
    return centred / Math.fround(std[c]!)
  })
}

/**
 * Square crops as batches hold them: normalised values [N, 3, S, S], or 8-bit pixels [N, S, S, 3] that are normalised
 * later.
 */
export type CropArray = Float32Array | Uint8Array

/** The normalised values [N, 3, size, size] of crops, whichever they hold. */
export function normalizedCrops(crops: CropArray, size: number, normalization: Normalization): Float32Array {
  if (crops instanceof Float32Array) return crops
  const table = normalizationTable(normalization)
  const values = new Float32Array(crops.length)
  const length = 3 * size * size
  for (let at = 0; at < crops.length; at += length)
    writeNormalized({ data: crops.subarray(at, at + length), width: size, height: size }, table, values, at)
  return values
}

/** Writes an image as normalised float32 planes, [3, height, width], to `out` from element `offset` on. */
export function writeNormalized(
  image: RgbImage,
  table: Float32Array,
  out: Float32Array,
  offset: number,
): void {
  const { data } = image
  const plane = image.width * image.height
  for (let i = 0, from = 0; i < plane; i++, from += 3) {
    out[offset + i] = table[data[from]!]!
    out[offset + plane + i] = table[256 + data[from + 1]!]!
    out[offset + 2 * plane + i] = table[512 + data[from + 2]!]!
  }
}
