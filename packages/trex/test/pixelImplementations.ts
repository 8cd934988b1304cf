import {
  type Augmentation,
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  applyAugmentation,
  applyEvalTransform,
  type Box,
  type EvalTransform,
  type Filter,
  flipHorizontal,
  gaussianBlur,
  hsvToRgb,
  Pixels,
  type RgbImage,
  resizeImage,
  rgbToHsv,
  solarize,
  toGrayscale,
  writeNormalized,
} from '../src/data/index.js'

/** A change of an image in place; those that need no number ignore it. */
type Change = (image: RgbImage, value: number) => void

/** The pixel operations, each from images to a new image, as tests compare them. */
export interface PixelImplementation {
  name: string
  resize(image: RgbImage, width: number, height: number, filter: Filter, box?: Box): RgbImage
  changes: Record<string, (image: RgbImage, value: number) => RgbImage>
  augment(image: RgbImage, drawn: Augmentation, size: number): RgbImage
  evaluate(image: RgbImage, transform: EvalTransform): RgbImage
  writeNormalized(image: RgbImage, table: Float32Array, out: Float32Array, offset: number): void
}

const eachPixel =
  (convert: typeof rgbToHsv): Change =>
  ({ data }) => {
    for (let i = 0; i < data.length; i += 3) convert(data[i]!, data[i + 1]!, data[i + 2]!, data, i)
  }

const PLAIN_CHANGES: Record<string, Change> = {
  brightness: adjustBrightness,
  contrast: adjustContrast,
  saturation: adjustSaturation,
  hue: adjustHue,
  gray: toGrayscale,
  solarize,
  blur: gaussianBlur,
  hflip: flipHorizontal,
  rgbToHsv: eachPixel(rgbToHsv),
  hsvToRgb: eachPixel(hsvToRgb),
}

const plain: PixelImplementation = {
  name: 'plain',
  resize: resizeImage,
  changes: Object.fromEntries(
    Object.entries(PLAIN_CHANGES).map(([name, change]) => [
      name,
      ({ data, width, height }: RgbImage, value: number) => {
        const copy = { data: data.slice(), width, height }
        change(copy, value)
        return copy
      },
    ]),
  ),
  augment: applyAugmentation,
  evaluate: applyEvalTransform,
  writeNormalized,
}

const pixels = new Pixels()

function crop(image: RgbImage, flip = false): void {
  pixels.load(image)
  pixels.resize(image.width, image.height, 'bicubic', undefined, flip)
}

function changed(change: (value: number) => void) {
  return (image: RgbImage, value: number) => {
    crop(image)
    change(value)
    return pixels.read()
  }
}

const fast: PixelImplementation = {
  name: 'fast',
  resize(image, width, height, filter, box) {
    pixels.load(image)
    pixels.resize(width, height, filter, box)
    return pixels.read()
  },
  changes: {
    brightness: changed((factor) => pixels.brightness(factor)),
    contrast: changed((factor) => pixels.contrast(factor)),
    saturation: changed((factor) => pixels.saturation(factor)),
    hue: changed((factor) => pixels.hue(factor)),
    gray: changed(() => pixels.grayscale()),
    solarize: changed((threshold) => pixels.solarize(threshold)),
    blur: changed((sigma) => pixels.blur(sigma)),
    rgbToHsv: changed(() => pixels.rgbToHsv()),
    hsvToRgb: changed(() => pixels.hsvToRgb()),
    hflip(image) {
      crop(image, true)
      return pixels.read()
    },
  },
  augment(image, drawn, size) {
    pixels.load(image)
    pixels.augment(drawn, size)
    return pixels.read()
  },
  evaluate(image, transform) {
    pixels.load(image)
    pixels.evaluate(transform)
    return pixels.read()
  },
  writeNormalized(image, table, out, offset) {
    crop(image)
    pixels.writeNormalized(table, out, offset)
  },
}

/** The plain operations and the fast ones. */
export const IMPLEMENTATIONS = { plain, fast }

/** For describe.each: [name, implementation]. */
export const EACH_IMPLEMENTATION = Object.values(IMPLEMENTATIONS).map((i) => [i.name, i] as const)
