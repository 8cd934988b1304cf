import { blankImage, type RgbImage } from '../pixels/image.js'
import { readIfd } from './ifd.js'

/** Where an image says how it is to be turned. */
export interface OrientationSource {
  /** TIFF data, with or without "Exif\0\0" before it. */
  exif?: Uint8Array | undefined
  xmp?: Uint8Array | undefined
}

const ORIENTATION = 274
const EXIF_MARK = [...Buffer.from('Exif\0\0')]
const WHOLE_NUMBERS = [3, 4, 8, 9, 16]

/**
 * The orientation from 1 to 8, as Pillow's `getexif` finds it: EXIF's first, else XMP's `tiff:Orientation`; 1 where there
 * is none or it is no whole number from 1 to 8.
 */
export function orientationOf({ exif, xmp }: OrientationSource): number {
  const entry = exif && readIfd(withoutExifMark(exif))?.get(ORIENTATION)
  if (entry) return WHOLE_NUMBERS.includes(entry.type) ? known(entry.values(1)[0] ?? 1) : 1
  const found = xmp && /tiff:Orientation(?:="|>)([0-9])/.exec(Buffer.from(xmp).toString('latin1'))
  return found ? known(Number(found[1])) : 1
}

function known(orientation: number): number {
  return orientation >= 1 && orientation <= 8 ? orientation : 1
}

function withoutExifMark(exif: Uint8Array): Uint8Array {
  let start = 0
  while (EXIF_MARK.every((byte, i) => exif[start + i] === byte)) start += EXIF_MARK.length
  return exif.subarray(start)
}

/** By orientation: are the sides swapped, and do columns and rows of the stored image run backwards? */
const TURNS = [
  [false, false, false],
  [false, true, false],
  [false, true, true],
  [false, false, true],
  [true, false, false],
  [true, false, true],
  [true, true, true],
  [true, true, false],
] as const

/** The image turned and mirrored as an EXIF orientation from 1 to 8 says; the same image for 1. */
export function orient(image: RgbImage, orientation: number): RgbImage {
  if (orientation === 1) return image
  const [swapped, backX, backY] = TURNS[orientation - 1]!
  const { width, height, data } = image
  const out = blankImage(swapped ? height : width, swapped ? width : height)
  const right = (backX ? -1 : 1) * 3
  const down = (backY ? -1 : 1) * width * 3
  const corner = (backX ? width - 1 : 0) * 3 + (backY ? height - 1 : 0) * width * 3
  const [stepX, stepY] = swapped ? [down, right] : [right, down]
  let to = 0
  for (let y = 0; y < out.height; y++) {
    let from = corner + y * stepY
    for (let x = 0; x < out.width; x++, from += stepX) {
      out.data[to++] = data[from]!
      out.data[to++] = data[from + 1]!
      out.data[to++] = data[from + 2]!
    }
  }
  return out
}
