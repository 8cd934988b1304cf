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
  /** The place of the byte that says that colours are multiplied by alpha; undefined where they are not. */
  readonly premultiplied: number | undefined
  readonly xmp: Uint8Array | undefined
}

const COMPRESSIONS: Record<number, string> = { 34887: 'LERC', 34925: 'LZMA', 50000: 'Zstandard' }
const PHOTOMETRICS: Record<number, string> = { 8: 'CIE L*a*b*', 9: 'ICC L*a*b*', 10: 'ITU L*a*b*' }
const JPEG = 7
const RGB = 2
const PALETTE = 3
const YCBCR = 6
const [UNSIGNED, SIGNED, FLOAT] = [1, 2, 3]
const ASSOCIATED_ALPHA = 1
/** Three colours of each of 256 entries. */
const MAX_PALETTE = 768

/** Reads the first directory. Throws BadImage where it is damaged, or says what is not decoded. */
export function readTiffHeader(bytes: Uint8Array): TiffHeader {
  const ifd = readIfd(bytes)
  if (!ifd) throw new BadImage('it has no directory')
  const [width, height] = [one(ifd, 256), one(ifd, 257)]
  if (width === undefined || height === undefined) throw new BadImage('it does not say its size')
  const photometric = one(ifd, 262) ?? 0
  const bits = one(ifd, 258) ?? 1
  const samples = one(ifd, 277) ?? 1
  checkColors(ifd, photometric)
  return {
    width,
    height,
    photometric,
    bits,
    signed: sampleFormat(ifd, photometric, bits, samples) === SIGNED,
    samples,
    premultiplied: premultiplied(bytes, ifd, photometric, bits, samples),
    xmp: ifd.get(700)?.bytes,
  }
}

function checkColors(ifd: Ifd, photometric: number): void {
  const compression = one(ifd, 259) ?? 1
  const packed = COMPRESSIONS[compression]
  if (packed) throw unsupported(`it is compressed with ${packed}`)
  const space = PHOTOMETRICS[photometric]
  if (space) throw unsupported(`its colours are ${space}`)
  if (photometric === YCBCR && compression !== JPEG) throw unsupported('its colours are YCbCr without JPEG')
  if (photometric !== PALETTE) return
  // Of 16 bits by the standard. Readers disagree on those that have 8.
  const colors = ifd.get(320)?.values(MAX_PALETTE) ?? []
  if (colors.some((level) => level > 0) && colors.every((level) => level < 256)) {
    throw unsupported('its palette has 8-bit colours')
  }
}

/** Throws unless samples are whole numbers from 0, or grey that Pillow reads as it is meant. */
function sampleFormat(ifd: Ifd, photometric: number, bits: number, samples: number): number {
  const formats = ifd.get(339)?.values() ?? []
  const format = formats[0] ?? UNSIGNED
  if (formats.some((other) => other !== format)) throw unsupported('its samples are of several kinds')
  if (format === UNSIGNED) return format
  const grey = samples === 1 && photometric <= 1
  if (format === FLOAT && grey && bits === 32) return format
  if (format === SIGNED && grey && photometric === 1 && (bits === 16 || bits === 32)) return format
  const kind = { [SIGNED]: 'signed', [FLOAT]: 'floating-point' }[format]
  throw unsupported(`its samples are ${kind ?? `of format ${format}`}, ${bits} bits each`)
}

function premultiplied(
  bytes: Uint8Array,
  ifd: Ifd,
  photometric: number,
  bits: number,
  samples: number,
): number | undefined {
  const extra = ifd.get(338)
  if (!extra?.values().includes(ASSOCIATED_ALPHA)) return undefined
  const chunky = (one(ifd, 284) ?? 1) === 1
  if (photometric !== RGB || bits !== 8 || samples !== 4 || !chunky || extra.values().length !== 1) {
    throw unsupported('its colours are multiplied by alpha, and are not 8-bit RGBA')
  }
  return extra.bytes.byteOffset - bytes.byteOffset + extra.bytes.indexOf(ASSOCIATED_ALPHA)
}

function unsupported(what: string): BadImage {
  return new BadImage(what, 'unsupported')
}

function one(ifd: Ifd, tag: number): number | undefined {
  return ifd.get(tag)?.values(1)[0]
}
