import type { Generator, Module } from 'trex-torch'
import { TrexError } from '../errors.js'
import { type ResNetName, type ResNetOptions, resnet, resnetNames } from './resnet.js'

/** Images to features: f of the paper, the part that is kept after training. */
export interface Encoder extends Module {
  /** The width of a feature vector. */
  readonly featureDim: number
}

/** The names `createEncoder` knows. */
export const encoderNames: readonly string[] = resnetNames

/**
 * Builds a freshly initialised encoder by name.
 * @throws TrexError for a name that is not in `encoderNames`.
 */
export function createEncoder(
  name: string,
  options: ResNetOptions & { generator?: Generator } = {},
): Encoder {
  if (!encoderNames.includes(name))
    throw new TrexError(`there is no encoder called ${name}`, {
      hint: `choose one of ${encoderNames.join(', ')}`,
    })
  return resnet(name as ResNetName, options)
}
