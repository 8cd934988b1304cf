import { type Box, blankImage, cropImage, type RgbImage } from './image.js'

/** A resampling kernel: bicubic has a = -0.5 and support 2, bilinear support 1. */
export type Filter = 'bicubic' | 'bilinear'

const PRECISION_BITS = 22
const HALF = 1 << (PRECISION_BITS - 1)

const SUPPORT = { bicubic: 2, bilinear: 1 }

function kernel(filter: Filter, distance: number): number {
  const x = Math.abs(distance)
  if (filter === 'bilinear') return x < 1 ? 1 - x : 0
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * -0.5
  return 0
}

/** For each output position: its first input position, its number of taps, and their fixed-point weights. */
interface Taps {
  start: Int32Array
  count: Int32Array
  /** `stride` weights an output position, of which `count` are in use. */
  weights: Int32Array
  stride: number
}

/** The antialiasing taps of one axis: the kernel is widened by inSize / outSize where that exceeds 1. */
function computeTaps(inSize: number, outSize: number, filter: Filter): Taps {
  const scale = inSize / outSize
  const widening = Math.max(scale, 1)
  const support = SUPPORT[filter] * widening
  const stride = Math.ceil(support) * 2 + 1
  const start = new Int32Array(outSize)
  const count = new Int32Array(outSize)
  const weights = new Int32Array(outSize * stride)
  const exact = new Float64Array(stride)
  for (let i = 0; i < outSize; i++) {
    const center = (i + 0.5) * scale
    const first = Math.max(Math.trunc(center - support + 0.5), 0)
    const taps = Math.min(Math.trunc(center + support + 0.5), inSize) - first
    let sum = 0
    for (let k = 0; k < taps; k++) {
      exact[k] = kernel(filter, (k + first - center + 0.5) * (1 / widening))
      sum += exact[k]!
    }
    for (let k = 0; k < taps; k++) {
      const weight = (sum === 0 ? exact[k]! : exact[k]! / sum) * (1 << PRECISION_BITS)
      weights[i * stride + k] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5)
    }
    start[i] = first
    count[i] = taps
  }
  return { start, count, weights, stride }
}

function clip8(sum: number): number {
  return Math.max(0, Math.min(sum >> PRECISION_BITS, 255))
}

/** Filters each row of `box` of the image to `outWidth` pixels: [box.height, outWidth, 3]. */
function resizeRows(image: RgbImage, box: Box, outWidth: number, filter: Filter): RgbImage {
  const out = blankImage(outWidth, box.height)
  const { start, count, weights, stride } = computeTaps(box.width, outWidth, filter)
  const source = image.data
  const target = out.data
  let to = 0
  for (let y = 0; y < box.height; y++) {
    const row = ((box.top + y) * image.width + box.left) * 3
    for (let x = 0; x < outWidth; x++) {
      let from = row + start[x]! * 3
      let w = x * stride
      const end = w + count[x]!
      let r = HALF
      let g = HALF
      let b = HALF
      for (; w < end; w++, from += 3) {
        const weight = weights[w]!
        r = (r + Math.imul(source[from]!, weight)) | 0
        g = (g + Math.imul(source[from + 1]!, weight)) | 0
        b = (b + Math.imul(source[from + 2]!, weight)) | 0
      }
      target[to++] = clip8(r)
      target[to++] = clip8(g)
      target[to++] = clip8(b)
    }
  }
  return out
}

/** Filters each column of `box` of the image to `outHeight` pixels: [outHeight, box.width, 3]. */
function resizeColumns(image: RgbImage, box: Box, outHeight: number, filter: Filter): RgbImage {
  const out = blankImage(box.width, outHeight)
  const { start, count, weights, stride } = computeTaps(box.height, outHeight, filter)
  const source = image.data
  const target = out.data
  const sourceRow = image.width * 3
  const values = box.width * 3
  let to = 0
  for (let y = 0; y < outHeight; y++) {
    const first = (box.top + start[y]!) * sourceRow + box.left * 3
    const begin = y * stride
    const end = begin + count[y]!
    for (let x = 0; x < values; x++) {
      let from = first + x
      let sum = HALF
      for (let w = begin; w < end; w++, from += sourceRow) {
        sum = (sum + Math.imul(source[from]!, weights[w]!)) | 0
      }
      target[to++] = clip8(sum)
    }
  }
  return out
}

/**
 * The pixels of `box` (default: all) resized to [height, width], antialiased, as Pillow's `crop` and `resize` give
 * them to the bit: rows, then columns, each rounded to 8 bits; nothing outside the box is seen.
 */
export function resizeImage(
  image: RgbImage,
  width: number,
  height: number,
  filter: Filter,
  box: Box = { top: 0, left: 0, height: image.height, width: image.width },
): RgbImage {
  if (width === box.width && height === box.height) return cropImage(image, box)
  if (width === box.width) return resizeColumns(image, box, height, filter)
  const rows = resizeRows(image, box, width, filter)
  if (height === box.height) return rows
  return resizeColumns(rows, { top: 0, left: 0, height: rows.height, width }, height, filter)
}
