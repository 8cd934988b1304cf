import { BadImage } from './decodeError.js'
import type { OrientationSource } from './orientation.js'

/** What a JPEG file says before its first scan. */
export interface JpegHeader {
  readonly width: number
  readonly height: number
  readonly components: number
  /** The place of the first scan's entropy-coded data. */
  readonly scan: number
  /** Does it have restart markers? */
  readonly restarts: boolean
  /** EXIF from its first segment, and what later segments add to it; not yet joined. */
  readonly exif: readonly Uint8Array[]
  readonly xmp: Uint8Array | undefined
}

const APP1 = 0xe1
const SOS = 0xda
const EOI = 0xd9
const DRI = 0xdd
/** TEM, tables, the next scan, the end, application data and comments. */
const AFTER_SCAN = new Set([1, 0xc4, 0xcc, EOI, SOS, 0xdb, 0xdc, DRI, 0xfe])
for (let n = 0; n < 16; n++) AFTER_SCAN.add(0xe0 + n)
const EXIF = 'Exif\0\0'
/** EXIF after these bytes is not looked at: an orientation stands at the start. */
const MAX_EXIF = 1 << 20
const XMP = 'http://ns.adobe.com/xap/1.0/\0'

/** Reads the segments up to the first scan. Throws BadImage where they end early, or say what libjpeg does not decode. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let frame: { width: number; height: number; components: number } | undefined
  const exif: Uint8Array[] = []
  let exifBytes = 0
  let xmp: Uint8Array | undefined
  let restarts = false
  for (let at = 2; at + 4 <= bytes.length; ) {
    const marker = bytes[at + 1]!
    if (bytes[at] !== 0xff || marker === 0xff || marker === 0 || hasNoLength(marker)) {
      at++ // junk and fill bytes
      continue
    }
    if (marker < 0xc0) throw new BadImage(`there is a marker 0x${marker.toString(16)} in its header`)
    if (marker === EOI) break
    const length = view.getUint16(at + 2)
    const body = bytes.subarray(at + 4, at + 2 + length)
    if (length < 2 || at + 2 + length > bytes.length) throw new BadImage('its header is cut off')
    if (isFrame(marker)) {
      if (length < 8) throw new BadImage('its header is wrong')
      frame = { width: view.getUint16(at + 7), height: view.getUint16(at + 5), components: bytes[at + 9]! }
      checkFrame(marker, bytes[at + 4]!, frame.components)
    }
    if (marker === APP1 && exifBytes < MAX_EXIF && startsWith(body, EXIF)) {
      exif.push(exif.length ? body.subarray(EXIF.length) : body)
      exifBytes += body.length
    }
    if (marker === APP1 && startsWith(body, XMP)) xmp = body.subarray(XMP.length)
    if (marker === DRI) restarts = body.some((byte) => byte !== 0)
    if (marker === SOS) {
      if (!frame) break
      return { ...frame, scan: at + 2 + length, restarts, exif, xmp }
    }
    at += 2 + length
  }
  throw new BadImage('it has no scan')
}

function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
}

/** Restart markers, start of image, and markers that are reserved. */
function hasNoLength(marker: number): boolean {
  return (marker >= 0xd0 && marker <= 0xd8) || (marker >= 0xf0 && marker <= 0xfd) || marker === 0xc8
}

function checkFrame(marker: number, bits: number, components: number): void {
  if (bits !== 8) throw new BadImage(`it has ${bits} bits a sample, not 8`, 'unsupported')
  if (components !== 1 && components !== 3 && components !== 4) {
    throw new BadImage(`it has ${components} components`, 'unsupported')
  }
  // Baseline, extended and progressive, with Huffman or arithmetic coding.
  if (![0xc0, 0xc1, 0xc2, 0xc9, 0xca].includes(marker)) {
    throw new BadImage('it is lossless or hierarchical', 'unsupported')
  }
}

/**
 * Throws BadImage unless a known marker follows where entropy-coded data ends: libvips does not look, Pillow refuses
 * others. (With restart markers, libjpeg may skip a wrong one.)
 */
export function checkAfterScan(bytes: Uint8Array, { scan, restarts }: JpegHeader): void {
  if (restarts) return
  for (let at = bytes.indexOf(0xff, scan); at >= 0; at = bytes.indexOf(0xff, at)) {
    const marker = bytes[++at]
    if (marker === undefined || marker === 0xff || marker === 0) continue
    if (marker >= 0xd0 && marker <= 0xd7) continue
    if (!AFTER_SCAN.has(marker))
      throw new BadImage(`there is a marker 0x${marker.toString(16)} in its pixels`)
    return
  }
}

/** EXIF and XMP as the segments before the first scan say them. */
export function jpegOrientation({ exif, xmp }: JpegHeader): OrientationSource {
  return { exif: exif.length ? new Uint8Array(Buffer.concat(exif)) : undefined, xmp }
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[i] !== text.charCodeAt(i)) return false
  return true
}
