import type { RgbImage } from './image.js'

/** Luma (ITU-R 601-2) of an 8-bit colour, 8 bits. */
export function luma(r: number, g: number, b: number): number {
  return (19595 * r + 38470 * g + 7471 * b + 32768) >> 16
}

/** `from + factor * (to - from)` in float32, clipped to 0..255 and truncated, as Pillow blends. */
function blend8(from: number, to: number, factor: number): number {
  const value = Math.fround(from + Math.fround(factor * (to - from)))
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value)
}

function mapValues(image: RgbImage, map: (value: number) => number): void {
  const table = Uint8Array.from({ length: 256 }, (_, value) => map(value))
  const { data } = image
  for (let i = 0; i < data.length; i++) data[i] = table[data[i]!]!
}

/** Blends an image with black, in place: factor 0 is black, 1 the image, above 1 brighter. */
export function adjustBrightness(image: RgbImage, factor: number): void {
  const f = Math.fround(factor)
  mapValues(image, (value) => blend8(0, value, f))
}

/** Blends an image with its mean luma (a whole number), in place. */
export function adjustContrast(image: RgbImage, factor: number): void {
  const f = Math.fround(factor)
  const { data } = image
  let sum = 0
  for (let i = 0; i < data.length; i += 3) sum += luma(data[i]!, data[i + 1]!, data[i + 2]!)
  const pivot = Math.trunc(sum / (data.length / 3) + 0.5)
  mapValues(image, (value) => blend8(pivot, value, f))
}

/** Blends each pixel with its luma, in place: factor 0 is grey, 1 the image. */
export function adjustSaturation(image: RgbImage, factor: number): void {
  const f = Math.fround(factor)
  const { data } = image
  for (let i = 0; i < data.length; i += 3) {
    const grey = luma(data[i]!, data[i + 1]!, data[i + 2]!)
    for (let c = i; c < i + 3; c++) data[c] = blend8(grey, data[c]!, f)
  }
}

/** Replaces each pixel by its luma, in place. */
export function toGrayscale(image: RgbImage): void {
  const { data } = image
  for (let i = 0; i < data.length; i += 3) data.fill(luma(data[i]!, data[i + 1]!, data[i + 2]!), i, i + 3)
}

/** Inverts the values that are at least `threshold`, in place. */
export function solarize(image: RgbImage, threshold = 128): void {
  mapValues(image, (value) => (value < threshold ? value : 255 - value))
}

/** Turns the hue by `factor` of a full circle (-0.5..0.5), in place, by way of 8-bit HSV. */
export function adjustHue(image: RgbImage, factor: number): void {
  const shift = Math.trunc(factor * 255)
  const { data } = image
  const pixel = new Uint8Array(3)
  for (let i = 0; i < data.length; i += 3) {
    rgbToHsv(data[i]!, data[i + 1]!, data[i + 2]!, pixel, 0)
    hsvToRgb((pixel[0]! + shift) & 255, pixel[1]!, pixel[2]!, data, i)
  }
}

/** Writes the 8-bit hue, saturation and value of a colour to `out[at..at+2]`, rounded as Pillow does. */
export function rgbToHsv(r: number, g: number, b: number, out: Uint8Array, at: number): void {
  const max = Math.max(r, g, b)
  const range = max - Math.min(r, g, b)
  out[at + 2] = max
  if (range === 0) {
    out[at] = 0
    out[at + 1] = 0
    return
  }
  const rc = Math.fround((max - r) / range)
  const gc = Math.fround((max - g) / range)
  const bc = Math.fround((max - b) / range)
  const sextant = Math.fround(r === max ? bc - gc : g === max ? 2 + rc - bc : 4 + gc - rc)
  out[at] = Math.trunc(255 * Math.fround((sextant / 6 + 1) % 1))
  out[at + 1] = Math.trunc(255 * Math.fround(range / max))
}

/** Writes the 8-bit colour of a hue, saturation and value to `out[at..at+2]`, rounded as Pillow does. */
export function hsvToRgb(h: number, s: number, v: number, out: Uint8Array, at: number): void {
  if (s === 0) {
    out.fill(v, at, at + 3)
    return
  }
  const turn = (6 * h) / 255
  const sextant = Math.floor(turn)
  const fraction = Math.fround(turn - sextant)
  const saturation = Math.fround(s / 255)
  const p = Math.floor(v * (1 - saturation) + 0.5)
  const q = Math.floor(v * (1 - Math.fround(saturation * fraction)) + 0.5)
  const t = Math.floor(v * (1 - saturation * (1 - fraction)) + 0.5)
  const which = sextant % 6
  out[at] = which === 0 || which === 5 ? v : which === 1 ? q : which === 4 ? t : p
  out[at + 1] = which === 1 || which === 2 ? v : which === 3 ? q : which === 0 ? t : p
  out[at + 2] = which === 3 || which === 4 ? v : which === 5 ? q : which === 2 ? t : p
}
