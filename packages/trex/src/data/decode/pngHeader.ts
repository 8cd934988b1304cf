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

/** EXIF from eXIf or ImageMagick's text, XMP from its iTXt, before or after the pixels. */
export function pngOrientation(bytes: Uint8Array): OrientationSource {
  let exif: Uint8Array | undefined
  let xmp: Uint8Array | undefined
  let profile: Uint8Array | undefined
  for (const { name, data } of chunks(bytes)) {
    if (name === 'eXIf') exif = data
    const text = textOf(name, data)
    if (text?.keyword === 'XML:com.adobe.xmp') xmp = text.value
    if (text?.keyword === 'Raw profile type exif') {
      const lines = Buffer.from(text.value).toString('latin1').split('\n')
      profile = new Uint8Array(Buffer.from(lines.slice(3).join(''), 'hex'))
    }
  }
  return { exif: exif ?? profile, xmp }
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

/** The longest text that is unpacked, in bytes. */
const MAX_TEXT = 1 << 20

function textOf(name: string, data: Uint8Array): { keyword: string; value: Uint8Array } | null {
  const end = data.indexOf(0)
  if (end < 0 || !['tEXt', 'zTXt', 'iTXt'].includes(name)) return null
  const keyword = Buffer.from(data.subarray(0, end)).toString('latin1')
  if (name === 'tEXt') return { keyword, value: data.subarray(end + 1) }
  let start = end + 2
  if (name === 'iTXt') start = data.indexOf(0, data.indexOf(0, end + 3) + 1) + 1
  const packed = name === 'zTXt' || data[end + 1] === 1
  try {
    const value = data.subarray(start)
    return { keyword, value: packed ? inflateSync(value, { maxOutputLength: MAX_TEXT }) : value }
  } catch {
    return null // damaged or too long: it says nothing
  }
}
