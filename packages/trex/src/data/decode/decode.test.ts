import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { goldenArray, goldenImage, goldenNames } from '../../../test/augmentGolden.js'
import { TrexError } from '../../errors.js'
import { DecodeError, decodeImage } from './decode.js'

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
    ['noise', async () => Uint8Array.from({ length: 99 }, (_, i) => (i * 37 + 1) & 255), /unknown kind/],
  ]
  test.each(cases)('%s', async (name, content, message) => {
    const path = join(folder, `${name}.jpg`)
    await writeFile(path, await content())
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
    await expect(decodeImage(folder)).rejects.toThrow(DecodeError)
  })
  test('too many pixels', async () => {
    const png = await photo().png().toBuffer()
    const limits = { maxPixels: 71 * 97 - 1, name: 'big.png' }
    await expect(decodeImage(png, limits)).rejects.toThrow(
      /big\.png is a PNG image of more than 6,886 pixels/,
    )
    expect((await decodeImage(png, { maxPixels: 71 * 97 })).width).toBe(97)
  })
})
