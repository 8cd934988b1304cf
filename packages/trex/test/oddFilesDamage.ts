import { bombPng, HEIGHT, jpeg, picture, png, pngChunk, rawPng, WIDTH } from './oddFilesEncode.js'

/** What a file is and what must come of it: an image of a size, or an error with these words. */
export type Made = [name: string, bytes: Buffer, expected: [width: number, height: number] | RegExp]

export const DAMAGED = /truncated or damaged/
export const TOO_LARGE = /of more than 178,956,970 pixels/

const like = (what: string) => new RegExp(`is not an image: it looks like ${what}`)
const latin1 = (text: string) => Buffer.from(text, 'latin1')

/** Files named .jpg that hold something else. */
export function impostors(): Made[] {
  const start = (text: string) => Buffer.concat([latin1(text), Buffer.alloc(600, 0x81)])
  return [
    ['zero-byte', Buffer.alloc(0), like('an empty file')],
    ['one-zero', Buffer.alloc(1), like('nothing but zero bytes')],
    ['zeros', Buffer.alloc(5000), like('nothing but zero bytes')],
    ['page', latin1('<!DOCTYPE html>\n<html><body>404 Not Found</body></html>'), like('an HTML page')],
    ['page-upper', latin1('\n  <HTML><HEAD></HEAD></HTML>'), like('an HTML page')],
    ['page-bom', Buffer.from('\ufeff<!doctype html><p>x'), like('an HTML page')],
    ['object', latin1('{"error": {"code": 403}}'), like('a JSON document')],
    ['array', latin1('[\n  {"id": 1}\n]'), like('a JSON document')],
    [
      's3-error',
      latin1('<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>'),
      like('an XML document'),
    ],
    ['text', latin1('Too Many Requests\n'), like('text')],
    ['newline', latin1('\n'), like('text')],
    [
      'pointer',
      latin1('version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n'),
      like('a git-LFS pointer'),
    ],
    [
      'drawing',
      latin1('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      like('an SVG'),
    ],
    ['bare-drawing', latin1('<svg width="9" height="9"></svg>'), like('an SVG')],
    ['document', start('%PDF-1.7\n'), like('a PDF')],
    ['postscript', start('%!PS-Adobe-3.0\n'), like('a PostScript')],
    ['phone', start('\0\0\0\x18ftypheic\0\0\0\0mif1heic'), like('a HEIF')],
    ['bitmap', start('BM\x46\0\0\0\0\0\0\0\x36\0\0\0'), like('a BMP')],
    ['photoshop', start('8BPS\0\x01'), like('a Photoshop')],
    ['icon', start('\0\0\x01\0\x01\0'), like('an icon')],
    ['archive', start('PK\x03\x04\x14\0'), like('a ZIP')],
    ['compressed', start('\x1f\x8b\x08\0'), like('a gzip')],
    ['video', start('\0\0\0\x18ftypisom\0\0\0\0'), like('a video')],
    ['quicktime', start('\0\0\0\x14ftypqt  \0\0\0\0'), like('a video')],
    ['jxl', start('\xff\x0a'), like('a JPEG XL')],
    ['jp2', start('\0\0\0\x0cjP  \r\n\x87\n'), like('a JPEG 2000')],
    [
      'noise',
      Buffer.from(Array.from({ length: 999 }, (_, i) => (i * 37 + 1) & 255)),
      like('data of an unknown kind'),
    ],
    ['elf', start('\x7fELF\x02\x01\x01'), like('data of an unknown kind')],
  ]
}

/** Images with headers that lie, more pixels than are decoded, and damage inside. */
export async function damages(): Promise<Made[]> {
  const good: [number, number] = [WIDTH, HEIGHT]
  return [
    ['bomb-400-megapixels.png', bombPng(20_000), TOO_LARGE],
    ['bomb-just-above.png', bombPng(13_378), TOO_LARGE],
    ['large-but-allowed.png', bombPng(3_000), [3_000, 3_000]],
    ['huge-header.png', rawPng(100_000, 100_000, Buffer.alloc(10)), TOO_LARGE],
    ['rows-missing.png', rawPng(4_000, 4_000, Buffer.alloc(501)), DAMAGED],
    ['zero-width.png', rawPng(0, 10, Buffer.alloc(99)), DAMAGED],
    ['zero-height.png', rawPng(10, 0, Buffer.alloc(99)), DAMAGED],
    ['depth-of-3-bits.png', rawPng(10, 10, Buffer.alloc(99), 3), DAMAGED],
    ['no-pixels.png', rawPng(8, 8, null), DAMAGED],
    ['no-palette.png', rawPng(8, 8, Buffer.alloc(16), 1, 3), DAMAGED],
    ['header-checksum.png', flipped(await png(), 29), DAMAGED],
    ['size-flipped.png', flipped(await png(), 18), DAMAGED],
    ['pixels-flipped.png', await png().then((bytes) => flipped(bytes, bytes.length >> 1)), DAMAGED],
    ['deflate-header.png', await png().then((bytes) => flipped(bytes, bytes.indexOf('IDAT') + 4)), DAMAGED],
    ['signature-only.png', (await png()).subarray(0, 8), DAMAGED],
    [
      'text-chunk.png',
      await png().then((bytes) => insert(bytes, 33, pngChunk('tEXt', latin1('a\0b')))),
      good,
    ],
    ['trailing.png', Buffer.concat([await png(), Buffer.alloc(99, 7)]), good],
    ['huge-header.jpg', jpegSize(await jpeg(), 65_000, 65_000), TOO_LARGE],
    ['zero-width.jpg', jpegSize(await jpeg(), 0, HEIGHT), DAMAGED],
    [
      'no-scan.jpg',
      await jpeg().then((bytes) =>
        Buffer.concat([bytes.subarray(0, marker(bytes, 0xda)), Buffer.of(0xff, 0xd9)]),
      ),
      DAMAGED,
    ],
    ['huffman-table.jpg', await jpeg().then((bytes) => filled(bytes, marker(bytes, 0xc4) + 5, 16)), DAMAGED],
    ['signature-only.jpg', (await jpeg()).subarray(0, 3), DAMAGED],
    // As Pillow, the decoder takes wrong codes for what they say: there is no checksum to tell.
    [
      'zeroed-codes.jpg',
      await jpeg().then((bytes) => filled(bytes, marker(bytes, 0xda) + 300, 100, 0)),
      good,
    ],
    ['trailing.jpg', Buffer.concat([await jpeg(), Buffer.alloc(99, 7)]), good],
    [
      'no-frame.gif',
      Buffer.concat([(await picture().gif().toBuffer()).subarray(0, 13), latin1(';')]),
      DAMAGED,
    ],
    [
      'huge-header.webp',
      await picture()
        .webp()
        .toBuffer()
        .then((bytes) => words(bytes, 26, 0x3fff, 0x3fff)),
      TOO_LARGE,
    ],
    [
      'longer-riff.webp',
      await picture()
        .webp()
        .toBuffer()
        .then((bytes) => words(bytes, 4, 0, 0x1000)),
      DAMAGED,
    ],
    [
      'directory-outside.tif',
      await picture()
        .tiff()
        .toBuffer()
        .then((bytes) => words(bytes, 4, 0xfff0, 0x7fff)),
      DAMAGED,
    ],
    ['signature-only.tif', latin1('II*\0'), DAMAGED],
    ['signature-only.gif', latin1('GIF89a'), DAMAGED],
    ['signature-only.webp', latin1('RIFF\x20\0\0\0WEBP'), DAMAGED],
    ['signature-only.avif', latin1('\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf'), DAMAGED],
  ]
}

function flipped(bytes: Buffer, at: number): Buffer {
  bytes[at]! ^= 0xff
  return bytes
}

const filled = (bytes: Buffer, at: number, length: number, value = 0xff) => bytes.fill(value, at, at + length)
const insert = (bytes: Buffer, at: number, part: Buffer) =>
  Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)])

/** Two 16-bit little-endian words written over a place. */
function words(bytes: Buffer, at: number, first: number, second: number): Buffer {
  bytes.writeUInt16LE(first, at)
  bytes.writeUInt16LE(second, at + 2)
  return bytes
}

const marker = (bytes: Buffer, code: number) => bytes.indexOf(Buffer.of(0xff, code))

/** The same JPEG with another size in its frame header. */
function jpegSize(bytes: Buffer, width: number, height: number): Buffer {
  const frame = marker(bytes, 0xc0)
  bytes.writeUInt16BE(height, frame + 5)
  bytes.writeUInt16BE(width, frame + 7)
  return bytes
}
