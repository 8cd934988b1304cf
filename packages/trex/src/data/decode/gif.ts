import { setImmediate } from 'node:timers/promises'
import { blankImage, type RgbImage } from '../pixels/image.js'
import { BadImage, checkSize } from './decodeError.js'
import { unpackLzw } from './gifLzw.js'

/** Where the first frame of a GIF is, and how it is stored. */
interface Frame {
  left: number
  top: number
  width: number
  height: number
  interlaced: boolean
  /** RGB triples; null means that an index is a level of grey. */
  palette: Uint8Array | null
  /** What is around a frame smaller than the canvas. */
  outside: number
  codeSize: number
  data: Uint8Array
}

const EXTENSION = 0x21
const IMAGE = 0x2c
const TRAILER = 0x3b
const GRAPHIC_CONTROL = 0xf9

/**
 * The first frame of a GIF as Pillow's `convert('RGB')` shows it: a transparent index has its palette colour, the canvas
 * around a smaller frame the transparent index or index 0, a frame that sticks out enlarges the canvas, and a palette
 * that is the grey ramp, or none, means grey. Later frames are not looked at. Rejects with
 * BadImage. (libvips would paint transparent pixels black.)
 */
export async function decodeGif(bytes: Uint8Array, maxPixels: number): Promise<RgbImage> {
  if (bytes.length < 13) throw new BadImage('its header is cut off')
  const screen = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const frame = readFrame(bytes)
  const width = Math.max(screen.getUint16(6, true), frame.left + frame.width)
  const height = Math.max(screen.getUint16(8, true), frame.top + frame.height)
  checkSize(frame.width, frame.height, maxPixels)
  checkSize(width, height, maxPixels)

  const image = blankImage(width, height)
  const colors = tableOf(frame.palette)
  const breath = breather()
  if (frame.width < width || frame.height < height) await fill(image, colors, frame.outside, breath)
  const rows = rowOrder(frame)
  const place = (n: number) => ((frame.top + (rows[n] ?? 0)) * width + frame.left) * 3
  let [row, left, to] = [0, frame.width, place(0)]
  for (const indices of unpackLzw(frame.data, frame.codeSize, frame.width * frame.height)) {
    for (let from = 0; from < indices.length; ) {
      const run = indices.subarray(from, from + left)
      paint(image.data, to, run, colors)
      from += run.length
      to += run.length * 3
      left -= run.length
      if (left === 0) [row, left, to] = [row + 1, frame.width, place(row + 1)]
    }
    await breath(Math.max(indices.length, PIXELS_A_CHUNK))
  }
  return image
}

/** Pixels after which other work has its turn: tens of milliseconds. */
const PIXELS_A_TURN = 1 << 21
/** What a chunk counts at least: one may be of codes that stand for no pixels. */
const PIXELS_A_CHUNK = 1 << 17

/** Lets the event loop go on whenever another two million pixels have been counted. */
function breather(): (pixels: number) => Promise<void> | undefined {
  let count = 0
  return (pixels) => {
    count += pixels
    if (count < PIXELS_A_TURN) return undefined
    count = 0
    return setImmediate()
  }
}

/** The order in which rows are stored. */
function rowOrder({ height, interlaced }: Frame): number[] {
  const rows = Array.from({ length: height }, (_, y) => y)
  if (!interlaced) return rows
  const every = (step: number, from: number) => rows.filter((y) => y % step === from)
  return [...every(8, 0), ...every(8, 4), ...every(4, 2), ...every(2, 1)]
}

/** The RGB triple of each index; black beyond the palette's end. */
function tableOf(palette: Uint8Array | null): Uint8Array {
  const table = new Uint8Array(256 * 3)
  if (palette) table.set(palette)
  else for (let i = 0; i < table.length; i++) table[i] = Math.floor(i / 3)
  return table
}

function paint(rgb: Uint8Array, start: number, indices: Uint8Array, colors: Uint8Array): void {
  let to = start
  for (let i = 0; i < indices.length; i++) {
    const color = indices[i]! * 3
    rgb[to++] = colors[color]!
    rgb[to++] = colors[color + 1]!
    rgb[to++] = colors[color + 2]!
  }
}

async function fill(
  image: RgbImage,
  colors: Uint8Array,
  index: number,
  breath: ReturnType<typeof breather>,
): Promise<void> {
  const row = new Uint8Array(image.width * 3)
  paint(row, 0, new Uint8Array(image.width).fill(index), colors)
  for (let y = 0; y < image.height; y++) {
    image.data.set(row, y * row.length)
    await breath(image.width)
  }
}

function readFrame(bytes: Uint8Array): Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 13
  const palette = (flags: number): Uint8Array | null => {
    const size = 3 << ((flags & 7) + 1)
    at += size
    if (at > bytes.length) throw new BadImage('its palette is cut off')
    const colors = bytes.subarray(at - size, at)
    return colors.some((value, i) => value !== Math.floor(i / 3)) ? colors : null
  }
  const global = bytes[10]! & 0x80 ? palette(bytes[10]!) : null
  let outside = 0
  while (at < bytes.length && bytes[at] !== TRAILER) {
    const block = bytes[at++]
    if (block === EXTENSION) {
      const label = bytes[at++]
      if (label === GRAPHIC_CONTROL && bytes[at]! >= 4 && bytes[at + 1]! & 1) outside = bytes[at + 4] ?? 0
      at = skipBlocks(bytes, at)
    } else if (block === IMAGE) {
      if (at + 10 > bytes.length) break
      const [left, top, width, height] = [0, 2, 4, 6].map((n) => view.getUint16(at + n, true))
      const flags = bytes[at + 8]!
      at += 9
      // As in Pillow, a local grey ramp does not take the place of a global palette.
      const local = (flags & 0x80 ? palette(flags) : null) ?? global
      const codeSize = bytes[at++]
      if (codeSize === undefined) break
      return {
        left: left!,
        top: top!,
        width: width!,
        height: height!,
        interlaced: (flags & 0x40) !== 0,
        palette: local,
        outside,
        codeSize,
        data: joinBlocks(bytes, at),
      }
    }
  }
  throw new BadImage('it has no frame')
}

function skipBlocks(bytes: Uint8Array, start: number): number {
  let at = start
  while (bytes[at]) at += bytes[at]! + 1
  return at + 1
}

/** The data of a chain of blocks of up to 255 bytes, as far as they are whole. */
function joinBlocks(bytes: Uint8Array, start: number): Uint8Array {
  const parts: Uint8Array[] = []
  for (let at = start; bytes[at]; at += bytes[at]! + 1) {
    const end = at + 1 + bytes[at]!
    if (end > bytes.length) break
    parts.push(bytes.subarray(at + 1, end))
  }
  return new Uint8Array(Buffer.concat(parts))
}
