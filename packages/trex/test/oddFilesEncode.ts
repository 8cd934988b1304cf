import { deflateSync } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'

/** Sides of the pictures, unless said otherwise. */
export const WIDTH = 64
export const HEIGHT = 48

let made = 0

/** A picture of noise, another one at each call; uncompressible, so that a cut always loses some of it. */
export function picture(width = WIDTH, height = HEIGHT): Sharp {
  const data = Buffer.alloc(width * height * 3)
  let state = ++made
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    data[i] = state >>> 16
  }
  return sharp(data, { raw: { width, height, channels: 3 } })
}

/** A JPEG of its own. */
export const jpeg = (): Promise<Buffer> => picture().jpeg().toBuffer()
export const png = (): Promise<Buffer> => picture().png().toBuffer()

/** Whole images of every format: a name with its extension, and how it is made. */
export const ENCODINGS: Readonly<Record<string, () => Promise<Buffer>>> = {
  'baseline.jpg': jpeg,
  'progressive.jpg': () => picture().jpeg({ progressive: true }).toBuffer(),
  'grey.jpg': () => picture().greyscale().jpeg().toBuffer(),
  'cmyk.jpg': () => picture().toColourspace('cmyk').jpeg().toBuffer(),
  '444.jpg': () => picture().jpeg({ chromaSubsampling: '4:4:4' }).toBuffer(),
  'rgb.png': png,
  'interlaced.png': () => picture().png({ progressive: true }).toBuffer(),
  'palette.png': () => picture().png({ palette: true, colours: 16 }).toBuffer(),
  'grey.png': () => picture().toColourspace('b-w').png().toBuffer(),
  'alpha.png': () => picture().ensureAlpha(0.5).png().toBuffer(),
  'rgb16.png': () => picture().toColourspace('rgb16').png().toBuffer(),
  'grey16.png': () => picture().toColourspace('grey16').png().toBuffer(),
  'still.gif': () => picture().gif().toBuffer(),
  'lossy.webp': () => picture().webp().toBuffer(),
  'lossless.webp': () => picture().webp({ lossless: true }).toBuffer(),
  'alpha.webp': () => picture().ensureAlpha(0.5).webp().toBuffer(),
  'plain.tif': () => picture().tiff({ compression: 'none' }).toBuffer(),
  'lzw.tiff': () => picture().tiff({ compression: 'lzw' }).toBuffer(),
  'deflate.tif': () => picture().tiff({ compression: 'deflate' }).toBuffer(),
  'cmyk.tif': () => picture().toColourspace('cmyk').tiff({ compression: 'none' }).toBuffer(),
  'lossy.avif': () => picture().avif({ effort: 0 }).toBuffer(),
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let c = byte
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c
})

function crc32(bytes: Uint8Array): number {
  let c = ~0
  for (const byte of bytes) c = CRC_TABLE[(c ^ byte) & 255]! ^ (c >>> 8)
  return ~c >>> 0
}

/** A chunk of a PNG with its checksum. */
export function pngChunk(type: string, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const chunk = Buffer.alloc(body.length + 8)
  chunk.writeUInt32BE(data.length)
  chunk.set(body, 4)
  chunk.writeUInt32BE(crc32(body), body.length + 4)
  return chunk
}

/** A PNG of raw rows; by default of 1 bit of grey, whatever its header claims. */
export function rawPng(width: number, height: number, rows: Uint8Array | null, depth = 1, color = 0): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width)
  header.writeUInt32BE(height, 4)
  header.set([depth, color], 8)
  const data = rows ? [pngChunk('IDAT', deflateSync(rows, { level: 1 }))] : []
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    ...data,
    pngChunk('IEND'),
  ])
}

/** All rows of black: small when compressed, however many pixels. */
export const bombPng = (side: number) => rawPng(side, side, Buffer.alloc(side * (1 + Math.ceil(side / 8))))
