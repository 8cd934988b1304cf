import type { RgbImage } from '../pixels/image.js'
import { BadImage } from './decodeError.js'
import type { Samples } from './sharpPixels.js'

/** Inks to RGB by Pillow's plain formula: R = (255 - K) * (255 - C) / 255 and so on, rounded to 8 bits as it rounds. */
export function cmykToRgb(
  { data, width, height, channels }: Samples<ArrayLike<number>>,
  shift = 0,
): RgbImage {
  const rgb = new Uint8Array(width * height * 3)
  for (let i = 0; i < width * height; i++) {
    const light = 255 - (data[i * channels + 3]! >> shift)
    for (let c = 0; c < 3; c++) {
      const product = (data[i * channels + c]! >> shift) * light + 128
      rgb[i * 3 + c] = light - (((product >> 8) + product) >> 8)
    }
  }
  return { data: rgb, width, height }
}

/** Grey levels of more than 8 bits as Pillow converts its modes I and I;16: those outside of 0 to 255 are clipped. */
export function clippedGrey(
  { data, width, height, channels }: Samples<ArrayLike<number>>,
  invert = false,
): RgbImage {
  const rgb = new Uint8Array(width * height * 3)
  for (let i = 0; i < width * height; i++) {
    const value = data[i * channels]!
    const level = Math.min(255, Math.max(0, invert ? 65535 - value : value))
    rgb[i * 3] = rgb[i * 3 + 1] = rgb[i * 3 + 2] = level
  }
  return { data: rgb, width, height }
}

/** Colours multiplied by alpha, divided by it as Pillow divides: rounded down, 255 at most, black where alpha is 0. */
export function unmultiplied({ data, width, height, channels }: Samples<Uint8Array>): RgbImage {
  if (channels !== 4) throw new BadImage(`it has ${channels} channels`, 'unsupported')
  const rgb = new Uint8Array(width * height * 3)
  for (let i = 0; i < width * height; i++) {
    const alpha = data[i * 4 + 3]!
    for (let c = 0; c < 3; c++) {
      const level = data[i * 4 + c]!
      rgb[i * 3 + c] = alpha === 0 ? 0 : Math.min(255, Math.floor((level * 255) / alpha))
    }
  }
  return { data: rgb, width, height }
}
