import sharp, { type Sharp } from 'sharp'

// Images are decoded side by side, one thread each; libvips' own cache would only hold files that are read once.
sharp.concurrency(1)
sharp.cache(false)
// Would try every JPEG for a gain map, and decode one that has it to something else than its picture.
sharp.block({ operation: ['VipsForeignLoadUhdr'] })

/** Samples as they come out of libvips: row by row, channel by channel. */
export interface Samples<T> {
  data: T
  width: number
  height: number
  channels: number
}

/** What libvips may decode. */
export interface Limits {
  readonly maxPixels: number
  /** What makes it fail; pixels that are missing do either way. */
  readonly failOn: 'error' | 'warning'
}

function open(bytes: Uint8Array, { maxPixels, failOn }: Limits): Sharp {
  return sharp(bytes, { ignoreIcc: true, failOn, limitInputPixels: maxPixels, pages: 1 })
}

async function read(pipeline: Sharp): Promise<Samples<Uint8Array>> {
  const { data, info } = await pipeline.toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  return { data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), width, height, channels }
}

/** 8-bit RGB without alpha. Rejects with libvips' error. */
export function readRgb(bytes: Uint8Array, limits: Limits): Promise<Samples<Uint8Array>> {
  return read(open(bytes, limits).removeAlpha().toColourspace('srgb').raw())
}

/** 8-bit RGB and its alpha. Rejects with libvips' error. */
export function readRgba(bytes: Uint8Array, limits: Limits): Promise<Samples<Uint8Array>> {
  return read(open(bytes, limits).toColourspace('srgb').raw())
}

/** Eight-bit inks. Rejects with libvips' error. */
export function readCmyk(bytes: Uint8Array, limits: Limits): Promise<Samples<Uint8Array>> {
  return read(open(bytes, limits).pipelineColourspace('cmyk').toColourspace('cmyk').raw())
}

/** Samples of more than 8 bits as numbers, none converted. Rejects with libvips' error. */
export async function readWide(
  bytes: Uint8Array,
  limits: Limits,
  space: 'grey16' | 'cmyk',
  depth: 'ushort' | 'short',
): Promise<Samples<Uint16Array | Int16Array>> {
  const pipeline = open(bytes, limits).pipelineColourspace(space).toColourspace(space).raw({ depth })
  const { data: bytesOut, ...size } = await read(pipeline)
  const { buffer, byteOffset, byteLength } = bytesOut
  const count = byteLength / 2
  const data =
    depth === 'short' ? new Int16Array(buffer, byteOffset, count) : new Uint16Array(buffer, byteOffset, count)
  return { ...size, data }
}
