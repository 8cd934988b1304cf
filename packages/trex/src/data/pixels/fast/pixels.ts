import { TrexError } from '../../../errors.js'
import type { Augmentation, Jitter } from '../augment.js'
import { boxOf } from '../blur.js'
import { type EvalTransform, shortestSideSize } from '../evalTransform.js'
import { type Box, type RgbImage, roundHalfEven } from '../image.js'
import type { Filter } from '../resize.js'
import { instantiate, type PixelsExports } from './wasm.js'

/** An instance that has grown larger than this is given up at the next chance: memories cannot shrink. */
const KEEP_BYTES = 64 * 2 ** 20

/** Beyond 512 a blend clips every value, and the module computes with factors up to this. */
const MAX_FACTOR = 8192

const clampFactor = (factor: number) => Math.min(MAX_FACTOR, Math.max(-MAX_FACTOR, factor))

/**
 * The pixel operations in WebAssembly SIMD, equal to the plain ones in every bit. An image is loaded, a crop is made
 * of it, changed in place and read; the memory is the instance's own. Throws TrexError where memory does not suffice.
 */
export class Pixels {
  #wasm: PixelsExports = instantiate()
  #image: { width: number; height: number } | null = null
  #crop: { width: number; height: number } | null = null

  /** Copies an image in; crops are made of it until the next one. */
  load({ data, width, height }: RgbImage): void {
    this.trim()
    this.#image = this.#crop = null
    if (data.length !== width * height * 3 || data.length === 0) {
      throw new TrexError(
        `an image of ${width} x ${height} pixels has ${width * height * 3} bytes, not ${data.length}`,
      )
    }
    const address = this.#run(() => this.#wasm.newImage(width, height))
    new Uint8Array(this.#wasm.memory.buffer).set(data, address)
    this.#image = { width, height }
  }

  /** Makes a crop: the pixels of `box` (default: all) resized to `width` x `height`, and mirrored if `flip`. */
  resize(width: number, height: number, filter: Filter, box?: Box, flip = false): void {
    const image = this.#loaded()
    const from = box ?? { left: 0, top: 0, ...image }
    checkBox(from, image)
    checkSize(width, height)
    this.#window(from, { width, height }, wholeAxis(width), wholeAxis(height), filter, flip)
  }

  /** Makes the crop that was drawn, with all its changes: `applyAugmentation`. */
  augment(drawn: Augmentation, size: number): void {
    this.resize(size, size, drawn.filter, drawn.box, drawn.flip)
    if (drawn.jitter) this.jitter(drawn.jitter)
    if (drawn.gray) this.grayscale()
    if (drawn.blur !== null) this.blur(drawn.blur)
    if (drawn.solarize !== null) this.solarize(drawn.solarize)
  }

  /** Makes the crop of evaluation, computing no pixel outside it: `applyEvalTransform`. */
  evaluate({ resize, crop, filter }: EvalTransform): void {
    const image = this.#loaded()
    checkSize(resize, crop)
    const size = shortestSideSize(image, resize)
    const x = centeredAxis(size.width, crop)
    const y = centeredAxis(size.height, crop)
    this.#window({ left: 0, top: 0, ...image }, size, x, y, filter, false)
  }

  /** Applies a colour jitter: `applyJitter`. */
  jitter(jitter: Jitter): void {
    for (let i = 0; i < 4; i++) {
      const change = jitter.order[i]
      if (change === 0) this.brightness(jitter.brightness)
      else if (change === 1) this.contrast(jitter.contrast)
      else if (change === 2) this.saturation(jitter.saturation)
      else this.hue(jitter.hue)
    }
  }

  /** Blends the crop with black: `adjustBrightness`. */
  brightness(factor: number): void {
    this.#cropped()
    this.#wasm.brightness(clampFactor(factor))
  }

  /** Blends the crop with its mean luma: `adjustContrast`. */
  contrast(factor: number): void {
    this.#cropped()
    this.#wasm.contrast(clampFactor(factor))
  }

  /** Blends each pixel with its luma: `adjustSaturation`. */
  saturation(factor: number): void {
    this.#cropped()
    this.#wasm.saturation(clampFactor(factor))
  }

  /** Turns the hue by `factor` of a full circle: `adjustHue`. */
  hue(factor: number): void {
    this.rgbToHsv()
    this.hsvToRgb(Math.trunc(factor * 255))
  }

  /** Replaces red, green and blue by hue, saturation and value. */
  rgbToHsv(): void {
    this.#cropped()
    this.#wasm.rgbToHsv()
  }

  /** Replaces hue, turned by `shift` / 256 of a circle, saturation and value by red, green and blue. */
  hsvToRgb(shift = 0): void {
    this.#cropped()
    this.#wasm.hsvToRgb(shift & 255)
  }

  /** Replaces each pixel by its luma: `toGrayscale`. */
  grayscale(): void {
    this.#cropped()
    this.#wasm.grayscale()
  }

  /** Inverts the values that are at least `threshold`: `solarize`. */
  solarize(threshold = 128): void {
    this.#cropped()
    this.#wasm.solarize(Math.min(256, Math.max(0, Math.ceil(threshold))))
  }

  /** Blurs the crop: `gaussianBlur`. */
  blur(sigma: number): void {
    this.#cropped()
    const { radius, inner, outer } = boxOf(sigma)
    this.#run(() => this.#wasm.blur(radius, inner, outer))
  }

  /** A copy of the crop. */
  read(): RgbImage {
    const { width, height } = this.#cropped()
    return { data: this.#packed().slice(), width, height }
  }

  /** Writes the crop as packed RGB, [height, width, 3], to `out` from element `offset` on. */
  write(out: Uint8Array, offset: number): void {
    out.set(this.#packed(), offset)
  }

  /** Writes the crop as float32 planes, [3, height, width], to `out` from element `offset` on: `writeNormalized`. */
  writeNormalized(table: Float32Array, out: Float32Array, offset: number): void {
    const { width, height } = this.#cropped()
    const address = this.#run(() => this.#wasm.newTable())
    const floats = new Float32Array(this.#wasm.memory.buffer, address, table.length + 3 * width * height)
    floats.set(table)
    this.#wasm.normalize(address)
    out.set(floats.subarray(table.length), offset)
  }

  /** Gives up a memory that one large image has blown up, and with it the image and the crop. */
  trim(): void {
    if (this.bytes > KEEP_BYTES) this.#renew()
  }

  /** Bytes of memory in use. */
  get bytes(): number {
    return this.#wasm.memory.buffer.byteLength
  }

  /** The crop as packed RGB, until the next operation. */
  #packed(): Uint8Array {
    const { width, height } = this.#cropped()
    const address = this.#run(() => this.#wasm.readPacked())
    return new Uint8Array(this.#wasm.memory.buffer, address, width * height * 3)
  }

  #renew(): void {
    this.#image = this.#crop = null
    this.#wasm = instantiate()
  }

  #loaded() {
    if (!this.#image) throw new TrexError('no image is loaded', { hint: 'call load(image) first' })
    return this.#image
  }

  #cropped() {
    if (!this.#crop)
      throw new TrexError('no crop has been made', { hint: 'call resize, augment or evaluate first' })
    return this.#crop
  }

  #window(
    box: Box,
    out: { width: number; height: number },
    x: Axis,
    y: Axis,
    filter: Filter,
    flip: boolean,
  ): void {
    this.#crop = null
    this.#run(() =>
      this.#wasm.resize(
        ...([box.left, box.top, box.width, box.height, out.width, out.height] as const),
        ...([x.first, y.first, x.count, y.count, x.at, y.at, x.size, y.size] as const),
        Number(filter === 'bicubic'),
        Number(flip),
      ),
    )
    this.#crop = { width: x.size, height: y.size }
  }

  #run<T>(operation: () => T): T {
    try {
      return operation()
    } catch (error) {
      const lacking = this.#wasm.exhausted.value !== 0
      const mebibytes = Math.ceil(this.bytes / 2 ** 20)
      const size = this.#image ? ` of an image of ${this.#image.width} x ${this.#image.height} pixels` : ''
      this.#renew() // A trap leaves the instance in the middle of an operation.
      if (!lacking) throw error
      throw new TrexError(`no memory for the crops${size}: it did not grow beyond ${mebibytes} MiB`, {
        hint: 'use smaller images or fewer workers',
        cause: error,
      })
    }
  }
}

/** The positions of one axis of the resized image that are wanted, and where in the crop they come. */
interface Axis {
  first: number
  count: number
  at: number
  size: number
}

function wholeAxis(size: number): Axis {
  return { first: 0, count: size, at: 0, size }
}

/** The centre of an axis as `centerCrop` takes it, or the whole in the middle of a larger crop. */
function centeredAxis(length: number, size: number): Axis {
  if (length < size) return { first: 0, count: length, at: Math.floor((size - length) / 2), size }
  return { first: roundHalfEven((length - size) / 2), count: size, at: 0, size }
}

function checkSize(...sides: number[]): void {
  for (const side of sides) {
    if (!(Number.isInteger(side) && side >= 1))
      throw new TrexError(`a side of ${side} pixels, not of 1 or more`)
  }
}

function checkBox({ left, top, width, height }: Box, image: { width: number; height: number }): void {
  const whole = [left, top, width, height].every(Number.isInteger)
  const inside = left >= 0 && top >= 0 && left + width <= image.width && top + height <= image.height
  if (whole && inside && width >= 1 && height >= 1) return
  const box = `${width} x ${height} pixels at (${left}, ${top})`
  throw new TrexError(`the box of ${box} is not inside the image of ${image.width} x ${image.height}`)
}
