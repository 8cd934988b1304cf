import type { Rng } from '../../rng.js'
import { gaussianBlur } from './blur.js'
import {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  solarize,
  toGrayscale,
} from './color.js'
import { type Box, flipHorizontal, type RgbImage, roundHalfEven } from './image.js'
import { type Filter, resizeImage } from './resize.js'

/** How the crops of one kind are drawn; probabilities end in P. */
export interface AugmentationSettings {
  /** Share of the image's area that a crop covers, [min, max], 0 < min <= max. */
  scale: readonly [number, number]
  /** Width / height of a crop before it is resized to a square, [min, max]; drawn log-uniformly. */
  ratio: readonly [number, number]
  flipP: number
  jitterP: number
  /** Factors are drawn from [max(0, 1 - x), 1 + x]. */
  brightness: number
  contrast: number
  saturation: number
  /** The hue is turned by up to this part of a circle, at most 0.5. */
  hue: number
  grayP: number
  blurP: number
  /** Sigma of the blur in pixels, [min, max]. */
  blurSigma: readonly [number, number]
  solarizeP: number
  /** Values from here on are inverted by a solarisation. */
  solarizeThreshold: number
  /** How crops are resized. */
  filter: Filter
}

/** The four changes of a colour jitter and the order they are applied in. */
export interface Jitter {
  /** 0 brightness, 1 contrast, 2 saturation, 3 hue. */
  order: ArrayLike<number>
  brightness: number
  contrast: number
  saturation: number
  hue: number
}

/** All that was drawn for one crop. */
export interface Augmentation {
  box: Box
  filter: Filter
  flip: boolean
  jitter: Jitter | null
  gray: boolean
  /** Sigma of the blur in pixels; null for none. */
  blur: number | null
  /** The least value that is inverted; null for no solarisation. */
  solarize: number | null
}

/**
 * A random box of an image: area and log ratio uniform, rejected where it does not fit, and after ten tries the
 * largest centred box of an allowed ratio (Szegedy et al. 2015, in torchvision's form).
 */
export function sampleCropBox(
  rng: Rng,
  width: number,
  height: number,
  { scale, ratio }: Pick<AugmentationSettings, 'scale' | 'ratio'>,
): Box {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * rng.uniformIn(scale[0], scale[1])
    const aspect = Math.exp(rng.uniformIn(Math.log(ratio[0]), Math.log(ratio[1])))
    const w = roundHalfEven(Math.sqrt(area * aspect))
    const h = roundHalfEven(Math.sqrt(area / aspect))
    if (w < 1 || h < 1 || w > width || h > height) continue
    return { top: rng.int(height - h + 1), left: rng.int(width - w + 1), height: h, width: w }
  }
  let w = width
  let h = height
  if (width / height < ratio[0]) h = roundHalfEven(width / ratio[0])
  else if (width / height > ratio[1]) w = roundHalfEven(height * ratio[1])
  return { top: Math.floor((height - h) / 2), left: Math.floor((width - w) / 2), height: h, width: w }
}

function sampleJitter(rng: Rng, { brightness, contrast, saturation, hue }: AugmentationSettings): Jitter {
  const factor = (strength: number) => rng.uniformIn(Math.max(0, 1 - strength), 1 + strength)
  return {
    order: rng.permutation(4),
    brightness: factor(brightness),
    contrast: factor(contrast),
    saturation: factor(saturation),
    hue: rng.uniformIn(-hue, hue),
  }
}

/** Draws the augmentation of one crop of a `width` x `height` image. */
export function sampleAugmentation(
  rng: Rng,
  width: number,
  height: number,
  settings: AugmentationSettings,
): Augmentation {
  const happens = (probability: number) => rng.uniform() < probability
  return {
    box: sampleCropBox(rng, width, height, settings),
    filter: settings.filter,
    flip: happens(settings.flipP),
    jitter: happens(settings.jitterP) ? sampleJitter(rng, settings) : null,
    gray: happens(settings.grayP),
    blur: happens(settings.blurP) ? rng.uniformIn(...settings.blurSigma) : null,
    solarize: happens(settings.solarizeP) ? settings.solarizeThreshold : null,
  }
}

/** Applies a colour jitter in place. */
export function applyJitter(image: RgbImage, jitter: Jitter): void {
  for (let i = 0; i < 4; i++) {
    const change = jitter.order[i]
    if (change === 0) adjustBrightness(image, jitter.brightness)
    else if (change === 1) adjustContrast(image, jitter.contrast)
    else if (change === 2) adjustSaturation(image, jitter.saturation)
    else adjustHue(image, jitter.hue)
  }
}

/** One augmented crop, `size` x `size`: crop, resize, flip, jitter, grey, blur, solarise, 8 bits each. */
export function applyAugmentation(image: RgbImage, drawn: Augmentation, size: number): RgbImage {
  const crop = resizeImage(image, size, size, drawn.filter, drawn.box)
  if (drawn.flip) flipHorizontal(crop)
  if (drawn.jitter) applyJitter(crop, drawn.jitter)
  if (drawn.gray) toGrayscale(crop)
  if (drawn.blur !== null) gaussianBlur(crop, drawn.blur)
  if (drawn.solarize !== null) solarize(crop, drawn.solarize)
  return crop
}
