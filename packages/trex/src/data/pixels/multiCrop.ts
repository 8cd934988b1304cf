import { rngFor } from '../../rng.js'
import { type AugmentationSettings, applyAugmentation, sampleAugmentation } from './augment.js'
import type { RgbImage } from './image.js'

/** `count` crops an image of `size` x `size` pixels, drawn alike; one group is one encoder pass. */
export interface CropGroup extends AugmentationSettings {
  count: number
  size: number
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
