import { cat, type Tensor } from 'trex-torch'

/** What one step learns from. */
export interface StepInput {
  /** One tensor a resolution [count * B, 3, S, S], crop-major, globals first. */
  readonly crops: readonly Tensor[]
  /** Class numbers [B], int64. */
  readonly labels: Tensor
}

/**
 * A batch in at most `count` parts of at least two images, as even as can be, each with its share of the images; batch
 * norm has no statistics of one image.
 */
export function partsOf({ crops, labels }: StepInput, count: number): (StepInput & { share: number })[] {
  const images = labels.size(0)
  const parts = Math.max(1, Math.min(count, images >> 1))
  if (parts === 1) return [{ crops, labels, share: 1 }]
  return Array.from({ length: parts }, (_, i) => {
    const from = Math.floor((i * images) / parts)
    const size = Math.floor(((i + 1) * images) / parts) - from
    return {
      crops: crops.map((x) => imagesOf(x, images, from, size)),
      labels: labels.narrow(0, from, size),
      share: size / images,
    }
  })
}

/** The crops of images `from`..`from + size` of [count * images, 3, S, S], crop-major and laid out as before. */
function imagesOf(x: Tensor, images: number, from: number, size: number): Tensor {
  const count = x.size(0) / images
  return cat(Array.from({ length: count }, (_, crop) => x.narrow(0, crop * images + from, size)))
}
