import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { goldenArray, goldenImage, goldenNames } from '../../../test/augmentGolden.js'
import { TrexError } from '../../errors.js'
import { DecodeError, decodeImage, decodeRecord } from './decode.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trex-decode-'))
})
afterAll(() => rm(folder, { recursive: true }))

const raw = (values: number[], width: number, height: number) => {
  const channels = (values.length / width / height) as 1 | 2 | 3 | 4
  return sharp(Uint8Array.from(values), { raw: { width, height, channels } })
}
const photo = () => {
  const { data, width, height } = goldenImage('A.input')
  return sharp(data, { raw: { width, height, channels: 3 } })
}

describe('JPEG decodes as libjpeg-turbo does under Pillow', () => {
  test.each(goldenNames(/^jpeg.*\.bytes$/))('%s', async (name) => {
    const image = await decodeImage(goldenArray(name) as Uint8Array)
    const expected = goldenImage(name.replace('bytes', 'rgb'))
    expect([image.width, image.height]).toEqual([expected.width, expected.height])
    expect(image.data).toEqual(expected.data)
  })
})

describe('decodes as Pillow convert("RGB")', () => {
  const pixels = async (encoded: Buffer) => [...(await decodeImage(encoded)).data]

  test('alpha is dropped, not blended', async () => {
    const rgba = [200, 100, 50, 0, 10, 20, 30, 128, 1, 2, 3, 255, 255, 0, 0, 1]
    expect(await pixels(await raw(rgba, 2, 2).png().toBuffer())).toEqual([
      200, 100, 50, 10, 20, 30, 1, 2, 3, 255, 0, 0,
    ])
  })
  test('grey and grey with alpha', async () => {
    const grey = await raw([0, 1, 127, 255], 2, 2).toColourspace('b-w').png().toBuffer()
    expect(await pixels(grey)).toEqual([0, 0, 0, 1, 1, 1, 127, 127, 127, 255, 255, 255])
    const greyAlpha = await raw([200, 0, 10, 128], 2, 1).toColourspace('b-w').png().toBuffer()
    expect(await pixels(greyAlpha)).toEqual([200, 200, 200, 10, 10, 10])
  })
  test('palette, GIF', async () => {
    const rgb = [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7]
    expect(await pixels(await raw(rgb, 2, 2).png({ palette: true }).toBuffer())).toEqual(rgb)
    expect(await pixels(await raw(rgb, 2, 2).gif().toBuffer())).toEqual(rgb)
  })
  test('16 bits keep the upper 8', async () => {
    const values = Uint16Array.from([0, 255, 256, 32768, 65535, 1000])
    const png = await sharp(values, { raw: { width: 2, height: 1, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer()
    expect(await pixels(png)).toEqual([0, 0, 1, 128, 255, 3])
  })
  test('CMYK by the plain formula, colour profiles ignored', async () => {
    const jpeg = await raw(Array.from({ length: 16 }, () => [200, 100, 50]).flat(), 4, 4)
      .toColourspace('cmyk')
      .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
      .toBuffer()
    const [c, m, y, k] = [0, 159, 235, 48] // what libvips stores for this colour
    const plain = [c, m, y].map((ink) => Math.round(((255 - ink) * (255 - k)) / 255))
    const actual = await pixels(jpeg)
    for (let i = 0; i < actual.length; i++)
      expect(Math.abs(actual[i]! - plain[i % 3]!)).toBeLessThanOrEqual(1)
  })
  test('EXIF orientation is ignored unless asked for', async () => {
    const turned = await photo().withMetadata({ orientation: 6 }).png().toBuffer()
    const asStored = await decodeImage(turned)
    expect([asStored.width, asStored.height]).toEqual([97, 71])
    expect(asStored.data).toEqual(goldenImage('A.input').data)
    const oriented = await decodeImage(turned, { autoOrient: true })
    expect([oriented.width, oriented.height]).toEqual([71, 97])
  })
  test('by content, not by name', async () => {
    const path = join(folder, 'really-a-png.jpg')
    await writeFile(path, await photo().png().toBuffer())
    expect((await decodeImage(path)).data).toEqual(goldenImage('A.input').data)
  })
  test.each(['webp', 'tiff', 'avif'] as const)('%s', async (format) => {
    const lossless = await photo().toFormat(format, { lossless: true, compression: 'lzw' }).toBuffer()
    const { data } = await decodeImage(lossless)
    if (format === 'avif') expect(data).toHaveLength(71 * 97 * 3)
    else expect(data).toEqual(goldenImage('A.input').data)
  })
})

describe('a bad file is a DecodeError that names it and what it looks like', () => {
  const cases: [string, () => Promise<Uint8Array | string>, RegExp][] = [
    [
      'truncated JPEG',
      async () => (await photo().jpeg().toBuffer()).subarray(0, 1500),
      /JPEG.*(truncated|damaged)/,
    ],
    [
      'truncated PNG',
      async () => (await photo().png().toBuffer()).subarray(0, 3000),
      /PNG.*(truncated|damaged)/,
    ],
    [
      'JPEG header only',
      async () => (await photo().jpeg().toBuffer()).subarray(0, 30),
      /JPEG.*(truncated|damaged)/,
    ],
    ['empty file', async () => '', /empty file/],
    ['zeros', async () => new Uint8Array(500), /zero bytes/],
    ['text', async () => 'hello, not an image\n', /looks like text/],
    ['HTML', async () => '<!DOCTYPE html><html><body>404</body></html>', /HTML page/],
    [
      'LFS pointer',
      async () => 'version https://git-lfs.github.com/spec/v1\noid sha256:1\n',
      /git-LFS pointer/,
    ],
    ['SVG', async () => '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', /SVG/],
    ['bare SVG', async () => '<!-- drawn --><svg width="1"></svg>', /SVG/],
    ['XML', async () => '<?xml version="1.0"?><Error/>', /XML/],
    ['JSON', async () => '{"error": 404}', /JSON/],
    ['BMP', async () => 'BM\x46\0\0\0\0\0\0\0\x36', /BMP/],
    ['MP4', async () => '\0\0\0\x18ftypisom\0\0\0\0', /video/],
    ['ZIP', async () => 'PK\x03\x04\x14', /ZIP/],
    ['PDF', async () => '%PDF-1.4 ...', /PDF/],
    ['HEIC', async () => '\0\0\0\x18ftypheic\0\0\0\0', /HEIF/],
    ['JPEG XL', async () => '\xff\x0a\0\0', /JPEG XL/],
    ['JPEG 2000', async () => '\0\0\0\x0cjP  \r\n', /JPEG 2000/],
    ['PSD', async () => '8BPS\0\x01', /Photoshop/],
    ['ICO', async () => '\0\0\x01\0\x01\0', /icon/],
    ['gzip', async () => '\x1f\x8b\x08\0', /gzip/],
    ['WebM', async () => '\x1aE\xdf\xa3\x01', /video/],
    ['AVI', async () => 'RIFF\0\0\0\0AVI LIST', /video/],
    ['SVG after a comment', async () => '<!-- a --> <!DOCTYPE svg><svg/>', /SVG/],
    ['gzipped SVG', async () => gzipSync('<svg/>'), /gzip/],
    ['HTML after a byte-order mark', async () => '\xef\xbb\xbf <html>', /HTML/],
    [
      'junk before a JPEG',
      async () => Buffer.concat([Buffer.of(1, 2, 3, 128), await photo().jpeg().toBuffer()]),
      /unknown/,
    ],
    ['noise', async () => Uint8Array.from({ length: 99 }, (_, i) => (i * 37 + 1) & 255), /unknown kind/],
  ]
  test.each(cases)('%s', async (name, content, message) => {
    const path = join(folder, `${name}.jpg`)
    const data = await content()
    await writeFile(path, typeof data === 'string' ? Buffer.from(data, 'latin1') : data)
    const error = await decodeImage(path).catch((e) => e)
    expect(error).toBeInstanceOf(DecodeError)
    expect(error).toBeInstanceOf(TrexError)
    expect(error.name).toBe('DecodeError')
    expect(error.path).toBe(path)
    expect(error.message).toContain(path)
    expect(error.message).toMatch(message)
    expect(error.hint).toBeTruthy()
  })
  test('missing file, folder', async () => {
    await expect(decodeImage(join(folder, 'gone.jpg'))).rejects.toThrow(/gone\.jpg: there is no such file/)
    await expect(decodeImage(folder)).rejects.toThrow(/it is a directory/)
  })
})

describe('a header that claims more than it may is refused before memory is taken', () => {
  const refused = async (bytes: Uint8Array, message: RegExp, options = {}) => {
    const before = process.memoryUsage().rss
    await expect(decodeImage(bytes, { name: 'big', ...options })).rejects.toThrow(message)
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6)
  }
  const patched = (bytes: Uint8Array, at: number, values: number[]) => {
    const copy = new Uint8Array(bytes)
    copy.set(values, at)
    return copy
  }
  test('JPEG of 65535x65535', async () => {
    const jpeg = await photo().jpeg().toBuffer()
    const frame = jpeg.indexOf(Uint8Array.of(0xff, 0xc0))
    await refused(
      patched(jpeg, frame + 5, [255, 255, 255, 255]),
      /JPEG image of more than 178,956,970 pixels/,
    )
  })
  test('PNG of 2^31-1 a side, and of 20000x20000', async () => {
    const png = await photo().png().toBuffer()
    for (const side of [2 ** 31 - 1, 20_000]) {
      const header = Buffer.from(png.subarray(12, 29))
      header.writeUInt32BE(side, 4)
      header.writeUInt32BE(side, 8)
      const sum = Buffer.alloc(4)
      sum.writeUInt32BE(crc32(header))
      await refused(patched(png, 12, [...header, ...sum]), /PNG image of more than 178,956,970 pixels/)
    }
  })
  test('GIF and its frame of 65535x65535', async () => {
    const gif = await photo().gif().toBuffer()
    await refused(patched(gif, 6, [255, 255, 255, 255]), /GIF image of more than/)
  })
  test('WebP of 16384x16384', async () => {
    const webp = await photo().webp().toBuffer()
    await refused(patched(webp, 26, [255, 63, 255, 63]), /WebP image of more than/)
  })
  test('AVIF of 65535x65535', async () => {
    const avif = await photo().avif().toBuffer()
    const sides = [0, 0, 255, 255, 0, 0, 255, 255]
    await refused(patched(avif, avif.indexOf('ispe') + 8, sides), /AVIF image of more than/)
  })
  test('one pixel over the limit', async () => {
    const png = await photo().png().toBuffer()
    await refused(png, /big is a PNG image of more than 6,886 pixels/, { maxPixels: 71 * 97 - 1 })
    expect((await decodeImage(png, { maxPixels: 71 * 97 })).width).toBe(97)
  })
})

test.each(['webp', 'gif'] as const)('of 3,000 frames of %s, one is decoded', async (format) => {
  const frames = raw(
    Array.from({ length: 3000 * 48 }, (_, i) => (i * 7) & 255),
    4,
    12_000,
  )
  const { data } = await frames.raw().toBuffer({ resolveWithObject: true })
  const pages = { width: 4, height: 12_000, channels: 3, pageHeight: 4 } as const
  const animation = await sharp(data, { raw: pages }).toFormat(format, { lossless: true }).toBuffer()
  const start = performance.now()
  const image = await decodeImage(animation)
  expect([image.width, image.height]).toEqual([4, 4])
  expect(performance.now() - start).toBeLessThan(2000)
})

test('a file that begins like an image and goes on like a drawing is not drawn', async () => {
  const drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
  const starts = [
    'RIFF    WEBP',
    '    ftypavif',
    '\0\0\0\x18ftypavif',
    '\xff\xd8\xff',
    'II*\0',
    'MM\0*',
    '\x89PNG\r\n\x1a\n',
    'GIF89a',
  ]
  for (const start of starts) {
    const error = await decodeImage(Buffer.from(start + drawing, 'latin1')).catch((reason) => reason)
    expect(error).toBeInstanceOf(DecodeError)
    expect(error.message).not.toMatch(/xml|svg|Start tag/i)
  }
})

test.each([false, true])('a GIF of many colours equals its picture, interlaced: %s', async (progressive) => {
  // Long enough for the table of codes to fill several times, and for several chunks of pixels.
  const shade = (i: number) => [(i * 7919) % 6, (i >> 5) % 6, ((i * i) >> 9) % 6].map((level) => level * 51)
  const pixels = Array.from({ length: 700 * 500 }, (_, i) => shade(i)).flat()
  const gif = await raw(pixels, 700, 500).gif({ dither: 0, colours: 256, progressive }).toBuffer()
  const byLibvips = await sharp(gif).removeAlpha().raw().toBuffer()
  expect(Buffer.compare(Buffer.from((await decodeImage(gif)).data), byLibvips)).toBe(0)
})

describe('decodeRecord', () => {
  test('interleaves planes and repeats grey', () => {
    const memory = new SharedArrayBuffer(20)
    new Uint8Array(memory).set(Array.from({ length: 20 }, (_, i) => i))
    const at = { kind: 'pixels', memory, width: 2, height: 3 } as const
    const color = decodeRecord({ ...at, offset: 2, channels: 3 })
    expect(color).toMatchObject({ width: 2, height: 3 })
    expect([...color.data]).toEqual([2, 8, 14, 3, 9, 15, 4, 10, 16, 5, 11, 17, 6, 12, 18, 7, 13, 19])
    const grey = decodeRecord({ ...at, offset: 1, channels: 1 })
    expect([...grey.data]).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6])
    expect(() => decodeRecord({ ...at, offset: 3, channels: 3 })).toThrow(RangeError)
  })
})
