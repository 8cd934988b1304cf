import { rngFor } from '../rng.js'
import { type AugmentationSettings, applyAugmentation, sampleAugmentation } from './augment.js'
import type { RgbImage } from './image.js'

/** `count` crops an image of `size` x `size` pixels, drawn alike; one group is one encoder pass. */
export interface CropGroup extends AugmentationSettings {
  count: number
  size: number
}

const COMMON = {
  ratio: [3 / 4, 4 / 3],
  flipP: 0.5,
  jitterP: 0.8,
  brightness: 0.4,
  contrast: 0.4,
  saturation: 0.2,
  hue: 0.1,
  grayP: 0.2,
  blurSigma: [0.1, 2],
} as const

/** The global crop of recipe `trex` (method section 2); spread over it to change it. */
export const GLOBAL_CROPS: CropGroup = {
  ...COMMON,
  count: 1,
  size: 224,
  scale: [0.25, 1],
  blurP: 0.2,
  solarizeP: 0.2,
}

/** The local crops of recipe `trex` (method section 2); spread over it to change it. */
export const LOCAL_CROPS: CropGroup = {
  ...COMMON,
  count: 8,
  size: 96,
  scale: [0.05, 0.25],
  blurP: 0.5,
  solarizeP: 0,
}

/**
 * All crops of an image, one list a group: crop j (counted over all groups) is drawn from the stream
 * (seed, epoch, sample, j), so its pixels depend on nothing else.
 */
export function multiCrop(
  image: RgbImage,
  groups: readonly CropGroup[],
  key: { seed: number; epoch: number; sample: number },
): RgbImage[][] {
  let crop = 0
  return groups.map((group) =>
    Array.from({ length: group.count }, () => {
      const rng = rngFor(key.seed, key.epoch, key.sample, crop++)
      return applyAugmentation(image, sampleAugmentation(rng, image.width, image.height, group), group.size)
    }),
  )
}
