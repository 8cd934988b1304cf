import { TrexError } from '../errors.js'
import { isViT } from '../settings.js'
import type { FoundModel } from './findModel.js'

/** The side of the images: as asked, or that of the encoder. */
export function imageSizeFor(
  path: string,
  { imageSize, settings }: FoundModel,
  asked: number | undefined,
): number {
  const size = asked ?? imageSize
  if (size === null)
    throw new TrexError(`the weights in ${path} do not tell for which size of images they are`, {
      hint: 'give --size, as 32',
    })
  const { patchSize } = settings.vit
  if (isViT(settings.encoder) && size % patchSize !== 0)
    throw new TrexError(`images of ${size} px are not made of patches of ${patchSize} px`, {
      hint: `give a --size that is a multiple of ${patchSize}`,
    })
  return size
}
