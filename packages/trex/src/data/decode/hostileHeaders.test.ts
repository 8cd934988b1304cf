import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { decodeImage } from './decode.js'
import { readIfd } from './ifd.js'
import { orientationOf } from './orientation.js'

// Files whose headers ask for far more work than their bytes are worth. Honest ones of the same size take milliseconds;
// the times allowed leave room for a slow machine and none for work that grows with the product of two sizes.

const SECOND = 1000
async function timed<T>(work: () => Promise<T> | T): Promise<{ value: T; ms: number }> {
  const start = performance.now()
  const value = await work()
  return { value, ms: performance.now() - start }
}

/** A little-endian TIFF directory; entries are tag, type, count, and the value or its place. */
function directory(entries: readonly (readonly [number, number, number, number])[], size: number): Buffer {
  const data = Buffer.alloc(Math.max(size, 10 + entries.length * 12 + 4))
  data.write('II*\0', 'latin1')
  data.writeUInt32LE(8, 4)
  data.writeUInt16LE(entries.length, 8)
  entries.forEach(([tag, type, count, value], i) => {
    data.writeUInt16LE(tag, 10 + i * 12)
    data.writeUInt16LE(type, 12 + i * 12)
    data.writeUInt32LE(count, 14 + i * 12)
    data.writeUInt32LE(value, 18 + i * 12)
  })
  return data
}

const red = () => sharp({ create: { width: 4, height: 2, channels: 3, background: 'red' } })

/** 2,000 entries that all point at the same 2^20 bytes, and then an orientation. */
const overlapping = () =>
  directory(
    [
      ...Array.from({ length: 2000 }, (_, i) => [30_000 + i, 1, 1 << 20, 0] as const),
      [274, 3, 1, 6] as const,
    ],
    1 << 20,
  )

test('2,000 entries of 2^20 values each, all the same bytes', async () => {
  const data = overlapping()
  const { value, ms } = await timed(() => readIfd(data)!)
  expect(ms).toBeLessThan(SECOND / 2)
  expect(value.size).toBe(2001)
  const entry = value.get(30_000)!
  expect(entry.bytes).toHaveLength(1 << 20)
  expect(entry.bytes.buffer).toBe(data.buffer)
  expect(entry.values()).toEqual([...data.subarray(0, 16)])
  expect(orientationOf({ exif: data })).toBe(6)
  await expect(decodeImage(data)).rejects.toThrow(/TIFF/)
})

test('as EXIF of a WebP', async () => {
  const webp = await red().webp().toBuffer()
  const exif = overlapping()
  const head = Buffer.from('EXIF    ', 'latin1')
  head.writeUInt32LE(exif.length, 4)
  const file = Buffer.concat([webp, head, exif])
  file.writeUInt32LE(file.length - 8, 4)
  const { value, ms } = await timed(() => decodeImage(file, { autoOrient: true }))
  expect([value.width, value.height]).toEqual([2, 4])
  expect(ms).toBeLessThan(SECOND)
})

test('entries after the first 4,096 are not looked at', () => {
  const many = (before: number) =>
    directory([...Array.from({ length: before }, () => [1, 3, 1, 0] as const), [274, 3, 1, 8] as const], 0)
  expect(orientationOf({ exif: many(4095) })).toBe(8)
  expect(orientationOf({ exif: many(4096) })).toBe(1)
})

test.each([false, true])('a JPEG of 80,000 segments of EXIF, turned: %s', async (autoOrient) => {
  const jpeg = await red().jpeg({ chromaSubsampling: '4:4:4' }).toBuffer()
  const segment = (data: Buffer) => {
    const head = Buffer.from([0xff, 0xe1, 0, 0])
    head.writeUInt16BE(data.length + 2, 2)
    return Buffer.concat([head, data])
  }
  const mark = Buffer.from('Exif\0\0', 'latin1')
  // The directory is split over the first two segments.
  const exif = directory([[274, 3, 1, 6]], 0)
  const parts = [exif.subarray(0, 9), exif.subarray(9)].map((part) => segment(Buffer.concat([mark, part])))
  const more = segment(Buffer.concat([mark, Buffer.alloc(16)]))
  const rest = Array.from({ length: 80_000 }, () => more)
  const file = Buffer.concat([jpeg.subarray(0, 2), ...parts, ...rest, jpeg.subarray(2)])
  const { value, ms } = await timed(() => decodeImage(file, { autoOrient }))
  expect([value.width, value.height]).toEqual(autoOrient ? [2, 4] : [4, 2])
  expect(ms).toBeLessThan(2 * SECOND)
})

/** A GIF of one colour, of codes that stand for ever longer runs; `clears` codes that stand for nothing come first. */
function blankGif(side: number, frameSide: number, clears = 0): Buffer {
  const packed: number[] = []
  let [held, bits] = [0, 0]
  const put = (code: number, width: number) => {
    held |= code << bits
    for (bits += width; bits >= 8; bits -= 8, held >>= 8) packed.push(held & 255)
  }
  for (let i = 0; i <= clears; i++) put(4, 3)
  put(1, 3)
  let [filled, next, width, length] = [1, 6, 3, 1]
  while (filled < frameSide ** 2) {
    // The code that is being made is the run before and one more pixel.
    if (next < 4096) length++
    put(Math.min(next, 4095), width)
    if (next < 4096 && ++next === 1 << width && width < 12) width++
    filled += length
  }
  put(5, width)
  put(0, 12)
  const blocks: Buffer[] = []
  for (let at = 0; at < packed.length; at += 255) {
    const part = packed.slice(at, at + 255)
    blocks.push(Buffer.from([part.length, ...part]))
  }
  const size = (n: number) => [n & 255, n >> 8]
  const palette = [1, 2, 3, 40, 50, 60, 7, 8, 9, 10, 11, 12]
  const screen = [...Buffer.from('GIF89a'), ...size(side), ...size(side), 0x81, 0, 0, ...palette]
  const frame = [0x2c, 0, 0, 0, 0, ...size(frameSide), ...size(frameSide), 0, 2]
  return Buffer.concat([Buffer.from([...screen, ...frame]), ...blocks, Buffer.from([0, 0x3b])])
}

/** How often other work had its turn. */
async function turns<T>(work: () => Promise<T>): Promise<{ value: T; count: number }> {
  let [count, done] = [0, false]
  const turn = () => {
    count++
    if (!done) setImmediate(turn)
  }
  setImmediate(turn)
  const value = await work().finally(() => {
    done = true
  })
  return { value, count }
}

test.each([
  ['a frame of 25 million pixels', 5000, 5000, 0],
  ['a canvas of 25 million pixels', 5000, 10, 0],
  ['6 million codes that stand for nothing', 10, 10, 6e6],
])('a GIF lets other work go on: %s', async (_, side, frameSide, clears) => {
  const { value, count } = await turns(() => decodeImage(blankGif(side, frameSide, clears)))
  expect(count).toBeGreaterThanOrEqual(clears ? 1 : 10)
  expect([value.width, value.height]).toEqual([side, side])
  const color = (x: number, y: number) => [...value.data.subarray((y * side + x) * 3, (y * side + x) * 3 + 3)]
  const [edge, far] = [frameSide - 1, side - 1]
  for (const at of [0, edge]) expect(color(at, edge)).toEqual([40, 50, 60])
  expect(color(far, far)).toEqual(side > frameSide ? [1, 2, 3] : [40, 50, 60])
})

function chunk(name: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

test.each([
  ['other texts', 'Comment\0\0'],
  ['EXIF profiles', 'Raw profile type exif\0\0'],
])('a PNG of 5,000 packed megabytes: %s', async (_, start) => {
  const png = await red().png().toBuffer()
  const megabyte = deflateSync(Buffer.alloc(1_000_000, '0\n'))
  const bomb = chunk('zTXt', Buffer.concat([Buffer.from(start, 'latin1'), megabyte]))
  const turned = '<x tiff:Orientation="6"/>'
  const xmp = chunk(
    'iTXt',
    Buffer.concat([Buffer.from('XML:com.adobe.xmp\0\x01\0\0\0', 'latin1'), deflateSync(turned)]),
  )
  const end = png.length - 12
  const bombs = Array.from({ length: 5000 }, () => bomb)
  const file = Buffer.concat([png.subarray(0, end), ...bombs, xmp, png.subarray(end)])
  const { value, ms } = await timed(() => decodeImage(file, { autoOrient: true }))
  expect([value.width, value.height]).toEqual([2, 4])
  expect(ms).toBeLessThan(2 * SECOND)
})
