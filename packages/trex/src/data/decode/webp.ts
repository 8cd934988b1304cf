import type { OrientationSource } from './orientation.js'

/** EXIF and XMP of a WebP file. */
export function webpOrientation(bytes: Uint8Array): OrientationSource {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found = new Map<string, Uint8Array>()
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = String.fromCharCode(...bytes.subarray(at, at + 4))
    const length = view.getUint32(at + 4, true)
    if (!found.has(name)) found.set(name, bytes.subarray(at + 8, at + 8 + length))
    at += 8 + length + (length % 2)
  }
  return { exif: found.get('EXIF'), xmp: found.get('XMP ') }
}
