import type { ModelDescription } from '../checkpoints/modelDescription.js'
import { fillEvalCrop } from '../data/pixels/fast/fillCrops.js'
import { Pixels } from '../data/pixels/fast/pixels.js'
import type { RgbImage } from '../data/pixels/image.js'
import { normalizationTable } from '../data/pixels/normalize.js'
import { TrexError } from '../errors.js'

/** A decoded image, as `ImageData`: 8-bit RGBA or RGB, [height, width, 4 or 3], row-major. */
export interface DecodedImage {
  readonly data: Uint8Array | Uint8ClampedArray
  readonly width: number
  readonly height: number
}

/** Makes the input of an encoder out of decoded images: the same bits wherever it runs. */
export interface Preprocessor {
  /** Side S of the encoder's images. */
  readonly size: number
  /** Writes an image as normalised planes [3, S, S] to row `row` of `out` [B, 3, S, S]. @throws TrexError */
  write(image: DecodedImage, out: Float32Array, row: number): void
}

/** The preprocessing of a model: shortest side to `resize`, centred `crop`, (x / 255 - mean) / std. */
export function preprocessor({
  resize,
  crop,
  filter,
  mean,
  std,
}: ModelDescription['preprocess']): Preprocessor {
  const pixels = new Pixels()
  const table = normalizationTable({ mean, std })
  return {
    size: crop,
    write(image, out, row) {
      fillEvalCrop(pixels, rgbOf(image), { resize, crop, filter }, { targets: [out], row, table })
    },
  }
}

/**
 * A decoded image as RGB: alpha is dropped and not blended, as Pillow's `convert('RGB')` and the decoder of files do.
 * @throws TrexError when its numbers do not fit.
 */
export function rgbOf({ data, width, height }: DecodedImage): RgbImage {
  const area = width * height
  const whole = Number.isSafeInteger(area) && width >= 1 && height >= 1
  const bytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray
  if (!(whole && bytes && (data.length === 3 * area || data.length === 4 * area)))
    throw new TrexError(
      `an image of ${width} x ${height} pixels needs ${3 * area} bytes RGB or ${4 * area} RGBA, not ${data?.length} of ${data?.constructor?.name}`,
      { hint: 'give 8-bit pixels, row by row, as ImageData has them' },
    )
  if (data.length === 3 * area)
    return { data: new Uint8Array(data.buffer, data.byteOffset, data.length), width, height }
  const rgb = new Uint8Array(3 * area)
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = data[from]!
    rgb[to + 1] = data[from + 1]!
    rgb[to + 2] = data[from + 2]!
  }
  return { data: rgb, width, height }
}
