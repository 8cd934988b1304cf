import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openSafetensors } from 'trex-torch/safetensors'
import { describe, expect, test } from 'vitest'
import type { RgbImage } from '../pixels/image.js'
import { DecodeError, decodeImage } from './decode.js'

// decodeFixtures.py made the files, and wrote down what Pillow makes of them.
const golden = fileURLToPath(new URL('../../../test/golden/', import.meta.url))
const expected = openSafetensors(`${golden}decode.safetensors`)
const parsed = <T>(name: string) => JSON.parse(expected.metadata[name]!) as T
/** By file: a tensor, or the kind of error that Pillow raises; as stored, and turned by `exif_transpose`. */
const answers = parsed<Record<string, [stored: string, turned: string]>>('answers')
/** By file: how many bytes of it, and Pillow's answer to those. */
const cuts = parsed<Record<string, Record<string, [length: number, answer: string]>>>('cuts')

const bytesOf = (name: string) => new Uint8Array(readFileSync(`${golden}decode/${name}`))
const isPicture = (answer: string) => answer.startsWith('rgb.')

/** Refused here and not by Pillow, and why. */
const STRICTER: Record<string, RegExp> = {
  'bad-crc-pixels.png': /damaged/, // Pillow does not check these checksums
  'bad-no-palette.png': /damaged/, // the standard demands one; Pillow makes one up
  'bad-few-rows.png': /damaged/, // Pillow leaves the missing rows black
  'bad-unknown-critical.png': /damaged/, // a chunk without which the picture is not to be shown
  'rgb-zstd.tif': /compressed with Zstandard/, // not in sharp's libtiff
  'rgb-lzma.tif': /compressed with LZMA/,
  'grey-8-signed.tif': /not decoded: its samples are signed, 8 bits/, // Pillow ignores the sign
  'rgba-premultiplied-16.tif': /not decoded: its colours are multiplied by alpha/,
  'palette-8-bit-colors.tif': /not decoded: its palette has 8-bit colours/, // black in Pillow
  'lab.tif': /colours are CIE L\*a\*b\*/,
  'strips.tif last 2 bytes': /damaged/, // the end of a list of sizes that Pillow does not need
  'strips.tif last byte': /damaged/,
}
/** Decoded here, refused by Pillow: a big-endian BigTIFF. */
const MORE = ['big-be.tif']
/** Refused by both, and named here rather than said to be damaged. */
const NAMED: Record<string, RegExp> = {
  'ycbcr-raw.tif': /not decoded: its colours are YCbCr without JPEG/,
  'rgb-float.tif': /not decoded: its samples are floating-point, 32 bits/,
  'rgb-8-signed.tif': /not decoded: its samples are signed, 8 bits/,
  'grey-void.tif': /not decoded: its samples are of format 4/,
  'grey-premultiplied.tif': /not decoded: its colours are multiplied by alpha/,
  'rgba-premultiplied-planar.tif': /not decoded: its colours are multiplied by alpha/,
}

function differences(actual: RgbImage, name: string): { max: number; luma: number } {
  const { shape, data } = expected.read(name)
  expect([actual.height, actual.width, 3], name).toEqual(shape)
  let [max, luma] = [0, 0]
  for (let i = 0; i < data.length; i += 3) {
    const change = [0, 1, 2].map((c) => actual.data[i + c]! - data[i + c]!)
    max = Math.max(max, ...change.map(Math.abs))
    luma += Math.abs(0.299 * change[0]! + 0.587 * change[1]! + 0.114 * change[2]!)
  }
  return { max, luma: luma / (data.length / 3) }
}

async function expectAsPillow(name: string, bytes: Uint8Array, answer: string, autoOrient = false) {
  const decoded = decodeImage(bytes, { name, autoOrient })
  const refusal = STRICTER[name] ?? NAMED[name]
  if (MORE.includes(name)) return expect((await decoded).data.length).toBeGreaterThan(0)
  if (!isPicture(answer) || refusal) {
    const error = await decoded.catch((reason) => reason)
    expect(error).toBeInstanceOf(DecodeError)
    expect(error.message).toMatch(refusal ?? new RegExp(`^${name.replace('.', '\\.')} is `))
    return expect(error.hint).toBeTruthy()
  }
  const { max, luma } = differences(await decoded, answer)
  if (!name.endsWith('.avif')) return expect(max).toBe(0)
  // Another library turns YUV into RGB, and enlarges subsampled chroma in another way.
  if (/^(444|400|limited|exif)/.test(name)) return expect(max).toBeLessThanOrEqual(2)
  expect(luma).toBeLessThan(2)
}

test('Pillow 12.3 answered', () => {
  expect(expected.metadata.pillow).toBe('12.3.0')
  expect(Object.keys(answers).length).toBeGreaterThan(300)
})

for (const format of ['jpg', 'png', 'webp', 'gif', 'tif', 'avif']) {
  describe(`${format} decodes as Pillow's convert("RGB")`, () => {
    const names = Object.keys(answers).filter((name) => name.endsWith(`.${format}`))
    test.each(names)('%s', async (name) => {
      const [stored, turned] = answers[name]!
      await expectAsPillow(name, bytesOf(name), stored)
      await expectAsPillow(name, bytesOf(name), turned, true)
    })
  })
}

describe('a truncated file is refused where Pillow refuses it', () => {
  const cases = Object.entries(cuts).flatMap(([name, shares]) =>
    Object.entries(shares).map(
      ([share, [length, answer]]) => [`${name} ${share}`, name, length, answer] as const,
    ),
  )
  test.each(cases)('%s', async (title, name, length, answer) => {
    await expectAsPillow(title, bytesOf(name).subarray(0, length), answer)
  })
})
