import { blankImage, type RgbImage } from '../pixels/image.js'
import type { PixelRecord } from '../sources/sample.js'

/** An image stored as planes as packed RGB; grey is repeated. */
export function decodeRecord({ memory, offset, width, height, channels }: PixelRecord): RgbImage {
  const image = blankImage(width, height)
  const plane = width * height
  const planes = new Uint8Array(memory, offset, plane * channels)
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < 3; c++) image.data[i * 3 + c] = planes[i + (channels === 3 ? c * plane : 0)]!
  return image
}
