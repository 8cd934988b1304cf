import { blankImage, type RgbImage } from '../pixels/image.js'
import type { PixelRecord } from '../sources/sample.js'

/** The image of a record, its planes interleaved; grey is repeated. Throws RangeError if the memory ends before it. */
export function decodeRecord({ memory, offset, width, height, channels }: PixelRecord): RgbImage {
  const area = width * height
  const planes = new Uint8Array(memory, offset, area * channels)
  const image = blankImage(width, height)
  const { data } = image
  const [green, blue] = channels === 1 ? [0, 0] : [area, 2 * area]
  for (let i = 0; i < area; i++) {
    data[3 * i] = planes[i]!
    data[3 * i + 1] = planes[green + i]!
    data[3 * i + 2] = planes[blue + i]!
  }
  return image
}
