import { BadImage } from './decodeError.js'
import { type Ifd, readIfd } from './ifd.js'

/** What the first page of a TIFF file says about its pixels. */
export interface TiffHeader {
  readonly width: number
  readonly height: number
  /** 0 is grey with white as 0, 1 grey, 2 RGB, 3 palette, 5 CMYK, 6 YCbCr. */
  readonly photometric: number
  /** Bits of a sample. */
  readonly bits: number
  /** Are samples whole numbers with a sign? */
  readonly signed: boolean
  readonly samples: number
  readonly xmp: Uint8Array | undefined
}

const COMPRESSIONS: Record<number, string> = { 34887: 'LERC', 34925: 'LZMA', 50000: 'Zstandard' }
const PHOTOMETRICS: Record<number, string> = { 8: 'CIE L*a*b*', 9: 'ICC L*a*b*', 10: 'ITU L*a*b*' }

/** Reads the first directory. Throws BadImage where it is damaged, or says what is not decoded. */
export function readTiffHeader(bytes: Uint8Array): TiffHeader {
  const ifd = readIfd(bytes)
  if (!ifd) throw new BadImage('it has no directory')
  const [width, height] = [one(ifd, 256), one(ifd, 257)]
  if (width === undefined || height === undefined) throw new BadImage('it does not say its size')
  const photometric = one(ifd, 262) ?? 0
  const packed = COMPRESSIONS[one(ifd, 259) ?? 1]
  if (packed) throw new BadImage(`it is compressed with ${packed}`, 'unsupported')
  const space = PHOTOMETRICS[photometric]
  if (space) throw new BadImage(`its colours are ${space}`, 'unsupported')
  return {
    width,
    height,
    photometric,
    bits: one(ifd, 258) ?? 1,
    signed: one(ifd, 339) === 2,
    samples: one(ifd, 277) ?? 1,
    xmp: ifd.get(700)?.bytes,
  }
}

function one(ifd: Ifd, tag: number): number | undefined {
  return ifd.get(tag)?.values(1)[0]
}
