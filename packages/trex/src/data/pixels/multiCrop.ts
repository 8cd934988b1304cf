import { rngFor } from '../../rng.js'
import {
  type Augmentation,
  type AugmentationSettings,
  applyAugmentation,
  sampleAugmentation,
} from './augment.js'
import type { RgbImage } from './image.js'

/** `count` crops an image of `size` x `size` pixels, drawn alike; one group is one encoder pass. */
export interface CropGroup extends AugmentationSettings {
  count: number
  size: number
}

/** What the crops of an image are drawn by. */
export interface CropKey {
  seed: number
  epoch: number
  /** The image's number in its data set. */
  sample: number
}

/**
 * What is drawn for all crops of an image of that size, one list a group: crop j (counted over all groups) is drawn from
 * the stream (seed, epoch, sample, j), and depends on nothing else.
 */
export function sampleCrops(
  { width, height }: Pick<RgbImage, 'width' | 'height'>,
  groups: readonly CropGroup[],
  { seed, epoch, sample }: CropKey,
): Augmentation[][] {
  let crop = 0
  return groups.map((group) =>
    Array.from({ length: group.count }, () =>
      sampleAugmentation(rngFor(seed, epoch, sample, crop++), width, height, group),
    ),
  )
}

/** All crops of an image, one list a group, as `sampleCrops` draws them. */
export function multiCrop(image: RgbImage, groups: readonly CropGroup[], key: CropKey): RgbImage[][] {
  return sampleCrops(image, groups, key).map((drawn, g) =>
    drawn.map((one) => applyAugmentation(image, one, groups[g]!.size)),
  )
}
