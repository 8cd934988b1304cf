import { blankImage, cropImage, type RgbImage, roundHalfEven } from './image.js'
import { type Filter, resizeImage } from './resize.js'

/** How an image is prepared for evaluation: shortest side to `resize` pixels, then the centred `crop` x `crop`. */
export interface EvalTransform {
  resize: number
  crop: number
  filter: Filter
}

/** The validation transform of the training task. */
export const VALIDATION_TRANSFORM: EvalTransform = { resize: 256, crop: 224, filter: 'bilinear' }

/** The transform of transfer evaluation. */
export const TRANSFER_TRANSFORM: EvalTransform = { resize: 224, crop: 224, filter: 'bicubic' }

/** The size of an image whose shortest side becomes `size` pixels and the other in proportion, rounded down. */
export function shortestSideSize(
  { width, height }: Pick<RgbImage, 'width' | 'height'>,
  size: number,
): { width: number; height: number } {
  if (width <= height) return { width: size, height: Math.trunc((size * height) / width) }
  return { width: Math.trunc((size * width) / height), height: size }
}

/** An image with its shortest side resized to `size` pixels and the other in proportion, rounded down. */
export function resizeShortestSide(image: RgbImage, size: number, filter: Filter): RgbImage {
  const { width, height } = shortestSideSize(image, size)
  return resizeImage(image, width, height, filter)
}

/** The centred `size` x `size` pixels; a smaller image is padded with black, the odd pixel right and below. */
export function centerCrop(image: RgbImage, size: number): RgbImage {
  const padded = image.width < size || image.height < size ? padTo(image, size) : image
  const top = roundHalfEven((padded.height - size) / 2)
  const left = roundHalfEven((padded.width - size) / 2)
  return cropImage(padded, { top, left, height: size, width: size })
}

function padTo(image: RgbImage, size: number): RgbImage {
  const out = blankImage(Math.max(image.width, size), Math.max(image.height, size))
  const top = Math.floor((out.height - image.height) / 2)
  const left = Math.floor((out.width - image.width) / 2)
  const rowBytes = image.width * 3
  for (let y = 0; y < image.height; y++) {
    const row = image.data.subarray(y * rowBytes, (y + 1) * rowBytes)
    out.data.set(row, ((top + y) * out.width + left) * 3)
  }
  return out
}

/** An image prepared for evaluation: [crop, crop, 3]. */
export function applyEvalTransform(image: RgbImage, { resize, crop, filter }: EvalTransform): RgbImage {
  return centerCrop(resizeShortestSide(image, resize, filter), crop)
}
