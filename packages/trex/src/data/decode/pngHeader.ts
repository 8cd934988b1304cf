import { crc32, inflateSync } from 'node:zlib'
import { BadImage } from './decodeError.js'
import type { OrientationSource } from './orientation.js'

/** What a PNG file says about its pixels. */
export interface PngHeader {
  readonly width: number
  readonly height: number
  readonly depth: number
  /** PNG's colour type: 0 is grey. */
  readonly colorType: number
}

interface Chunk {
  name: string
  data: Uint8Array
  /** The checksum stored after the data; undefined where the file ends before. */
  crc: number | undefined
}

const SIGNATURE_BYTES = 8

/**
 * Reads the header, and checks the checksums of all chunks before the pixels, as Pillow does; those of the pixels are
 * left to libpng. Throws BadImage.
 */
export function readPngHeader(bytes: Uint8Array): PngHeader {
  let header: PngHeader | undefined
  for (const { name, data, crc } of chunks(bytes)) {
    if (name === 'IDAT') break
    if (crc === undefined) throw new BadImage(`its ${name} chunk is cut off`)
    if (crc32(data, crc32(name)) !== crc) throw new BadImage(`the checksum of its ${name} chunk is wrong`)
    if (name !== 'IHDR' || data.length < 13) continue
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    header = { width: view.getUint32(0), height: view.getUint32(4), depth: data[8]!, colorType: data[9]! }
  }
  if (!header) throw new BadImage('it has no header')
  return header
}

const TEXTS = ['tEXt', 'zTXt', 'iTXt']
const XMP = latin1('XML:com.adobe.xmp\0')
const PROFILE = latin1('Raw profile type exif\0')

/**
 * EXIF from eXIf or ImageMagick's text, XMP from its iTXt, before or after the pixels; the last of each. No other text is
 * unpacked.
 */
export function pngOrientation(bytes: Uint8Array): OrientationSource {
  let exif: Uint8Array | undefined
  let xmp: Chunk | undefined
  let profile: Chunk | undefined
  for (const chunk of chunks(bytes)) {
    if (chunk.name === 'eXIf') exif = chunk.data
    if (!TEXTS.includes(chunk.name)) continue
    if (startsWith(chunk.data, XMP)) xmp = chunk
    if (startsWith(chunk.data, PROFILE)) profile = chunk
  }
  const hex = !exif && profile && textOf(profile, PROFILE.length - 1)
  if (hex) {
    const lines = Buffer.from(hex.subarray(0, MAX_TEXT)).toString('latin1').split('\n')
    exif = new Uint8Array(Buffer.from(lines.slice(3).join(''), 'hex'))
  }
  return { exif, xmp: xmp && textOf(xmp, XMP.length - 1) }
}

function* chunks(bytes: Uint8Array): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = SIGNATURE_BYTES; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at)
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
    if (!/^[A-Za-z]{4}$/.test(name)) return
    const end = at + 8 + length
    const crc = end + 4 <= bytes.length ? view.getUint32(end) : undefined
    yield { name, data: bytes.subarray(at + 8, end), crc }
    if (name === 'IEND') return
    at = end + 4
  }
}

/** The longest text that is unpacked, and the longest profile that is read, in bytes. */
const MAX_TEXT = 1 << 20

/** The text of a chunk whose keyword ends at `end`; undefined if it is damaged or too long: it says nothing. */
function textOf({ name, data }: Chunk, end: number): Uint8Array | undefined {
  let start = end + (name === 'tEXt' ? 1 : 2)
  if (name === 'iTXt') start = data.indexOf(0, data.indexOf(0, end + 3) + 1) + 1
  const text = data.subarray(start)
  if (name === 'tEXt' || (name === 'iTXt' && data[end + 1] !== 1)) return text
  try {
    return inflateSync(text, { maxOutputLength: MAX_TEXT })
  } catch {
    return undefined
  }
}

function latin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'))
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, i) => bytes[i] === byte)
}
