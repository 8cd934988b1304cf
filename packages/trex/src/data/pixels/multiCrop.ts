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

/** Names the random numbers of a sample's crops. */
export interface CropKey {
  seed: number
  epoch: number
  sample: number
}

/**
 * Draws all crops of an image of this size, group by group: crop j (counted over all groups) is drawn from the
 * stream (seed, epoch, sample, j), so it depends on nothing else.
 */
export function forEachCrop(
  { width, height }: Pick<RgbImage, 'width' | 'height'>,
  groups: readonly CropGroup[],
  { seed, epoch, sample }: CropKey,
  visit: (drawn: Augmentation, group: number, index: number) => void,
): void {
  let crop = 0
  for (const [g, group] of groups.entries()) {
    for (let i = 0; i < group.count; i++) {
      visit(sampleAugmentation(rngFor(seed, epoch, sample, crop++), width, height, group), g, i)
    }
  }
}

/** All crops of an image, one list a group, drawn by `forEachCrop`. */
export function multiCrop(image: RgbImage, groups: readonly CropGroup[], key: CropKey): RgbImage[][] {
  const crops: RgbImage[][] = groups.map(() => [])
  forEachCrop(image, groups, key, (drawn, g) => {
    crops[g]!.push(applyAugmentation(image, drawn, groups[g]!.size))
  })
  return crops
}
