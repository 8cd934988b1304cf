import { resnetArchitectures, type ViTName, vitArchitectures } from '../method/architectures.js'
import type { EncoderKind } from './encoderKind.js'
import type { ModelDescription } from './modelDescription.js'

/** What weights do not tell of an encoder. */
export interface Undescribed {
  /** Side of the images in pixels. */
  readonly imageSize?: number | undefined
  /** Of a vision transformer. */
  readonly pooling?: 'class' | 'mean' | undefined
  readonly preprocess?: Partial<ModelDescription['preprocess']> | undefined
}

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const

/**
 * The description of an encoder by what its weights tell. Where nothing is said otherwise, images are read as `trex extract`
 * reads them: the shortest side to the image size (bicubic), the centred square, ImageNet's mean and deviation.
 * @throws RangeError when neither weights nor `imageSize` tell the side of its images.
 */
export function describeEncoder(kind: EncoderKind, given: Undescribed = {}): ModelDescription {
  const { encoder, stem, patchSize } = kind
  const size = given.imageSize ?? kind.imageSize
  if (size === null) throw new RangeError('the weights do not tell for which size of images they are')
  const preprocess = { resize: size, crop: size, filter: 'bicubic', ...IMAGENET } as const
  return {
    version: 1,
    encoder,
    ...(stem && { stem }),
    ...(patchSize !== undefined && { vit: { patchSize, pooling: given.pooling ?? 'class' } }),
    featureDim: featureDimOf(kind),
    preprocess: {
      ...preprocess,
      mean: [...IMAGENET.mean],
      std: [...IMAGENET.std],
      ...defined(given.preprocess),
    },
    outputs: ['features'],
  }
}

/** How many numbers the features of an image are. */
export function featureDimOf({ encoder }: EncoderKind): number {
  if (!(encoder in resnetArchitectures)) return vitArchitectures[encoder as ViTName].width
  return resnetArchitectures[encoder as keyof typeof resnetArchitectures].block === 'basic' ? 512 : 2048
}

const defined = (values: object = {}): object =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
