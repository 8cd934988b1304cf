import type { Generator, Module } from 'trex-torch'
import { TrexError } from '../errors.js'
import { type ResNetName, resnetNames, type ViTName, vitNames } from './architectures.js'
import { type ResNetOptions, resnet } from './resnet.js'
import { type ViTOptions, vit } from './vit.js'

/** Images to features: f of the paper, the part that is kept after training. */
export interface Encoder extends Module {
  /** The width of a feature vector. */
  readonly featureDim: number
}

/** The names `createEncoder` knows. */
export const encoderNames: readonly string[] = [...resnetNames, ...vitNames]

/** What shapes an encoder beside its name: `stem` a ResNet, the rest a vision transformer. */
export interface EncoderOptions extends ResNetOptions {
  vit?: Omit<ViTOptions, 'imageSize'>
  /** Side of the images it is built for, in pixels; it takes others too. */
  imageSize?: number
  generator?: Generator | undefined
}

/**
 * Builds a freshly initialised encoder by name.
 * @throws TrexError for a name that is not in `encoderNames`.
 */
export function createEncoder(name: string, options: EncoderOptions = {}): Encoder {
  if (!encoderNames.includes(name))
    throw new TrexError(`there is no encoder called ${name}`, {
      hint: `choose one of ${encoderNames.join(', ')}`,
    })
  const { imageSize, generator } = options
  const size = imageSize === undefined ? {} : { imageSize }
  if (vitNames.includes(name as ViTName)) return vit(name as ViTName, { ...options.vit, ...size, generator })
  return resnet(name as ResNetName, options)
}
