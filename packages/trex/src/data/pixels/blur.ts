import type { RgbImage } from './image.js'

const PASSES = 3

/**
 * The (fractional) radius of the box blur that, done three times, approximates a Gaussian of this sigma: Gwosdek,
 * Grewenig, Bruhn and Weickert, "Theoretical foundations of Gaussian convolution by extended box filtering" (2011).
 */
export function boxRadius(sigma: number): number {
  const variance = (sigma * sigma) / PASSES
  const whole = Math.floor((Math.sqrt(12 * variance + 1) - 1) / 2)
  const next = whole + 1
  return whole + ((2 * whole + 1) * (whole * next - 3 * variance)) / (6 * (variance - next * next))
}

/** A box in fixed point. */
export interface Box24 {
  /** Whole part of the radius. */
  radius: number
  /** 24-bit fixed-point weights of the pixels inside the box and of the two just outside it. */
  inner: number
  outer: number
}

/** The box that, done three times, approximates a Gaussian of this sigma. */
export function boxOf(sigma: number): Box24 {
  const exact = Math.fround(boxRadius(sigma))
  const radius = Math.trunc(exact)
  const inner = Math.trunc(Math.fround(2 ** 24 / Math.fround(exact * 2 + 1)))
  const outer = Math.trunc((2 ** 24 - (radius * 2 + 1) * inner) / 2)
  return { radius, inner, outer }
}

/** One channel of one line and room for its replicated edges. */
interface Line extends Box24 {
  padded: Uint8Array
  length: number
}

function newLine(length: number, sigma: number): Line {
  const box = boxOf(sigma)
  return { ...box, padded: new Uint8Array(length + 2 * (box.radius + 1)), length }
}

/** Box-blurs, three times, the `line.length` values data[first], data[first + stride], ... */
function blurLine(data: Uint8Array, first: number, stride: number, line: Line): void {
  const { padded, length, radius, inner, outer } = line
  const edge = radius + 1
  const width = 2 * radius + 1
  for (let pass = 0; pass < PASSES; pass++) {
    for (let i = 0, from = first; i < length; i++, from += stride) padded[edge + i] = data[from]!
    padded.fill(padded[edge]!, 0, edge)
    padded.fill(padded[edge + length - 1]!, edge + length)
    let sum = 0
    for (let i = 1; i <= width; i++) sum += padded[i]!
    for (let i = 0, to = first; i < length; i++, to += stride) {
      data[to] = (sum * inner + (padded[i]! + padded[i + width + 1]!) * outer + 2 ** 23) >>> 24
      sum += padded[i + width + 1]! - padded[i + 1]!
    }
  }
}

/** Blurs an image in place by three box blurs along the rows, then three along the columns, 8 bits each (Pillow). */
export function gaussianBlur(image: RgbImage, sigma: number): void {
  const { data, width, height } = image
  const row = newLine(width, sigma)
  for (let first = 0; first < data.length; first += width * 3) {
    for (let c = 0; c < 3; c++) blurLine(data, first + c, 3, row)
  }
  const column = newLine(height, sigma)
  for (let first = 0; first < width * 3; first++) blurLine(data, first, width * 3, column)
}
