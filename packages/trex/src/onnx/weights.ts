import type { EncoderWeights } from '../checkpoints/encoderWeights.js'
import { TrexError } from '../errors.js'
import { floats } from './floats.js'

/** Reads a tensor that must have a shape. */
export type ReadWeight = (name: string, shape: readonly number[]) => Float32Array

/** @throws TrexError, when called, for a tensor that is missing or has another shape */
export function weightReader(tensors: EncoderWeights['tensors']): ReadWeight {
  return (name, shape) => {
    const tensor = tensors.get(name)
    if (tensor && `${tensor.shape}` === `${shape}`) return floats(name, tensor)
    throw new TrexError(
      tensor ? `${name} is [${tensor.shape}], not [${shape}]` : `the weights have no ${name}`,
      { hint: 'the file does not hold the encoder that its description names' },
    )
  }
}

/** What a file holds beside the encoder. */
export type Rest = EncoderWeights['rest']

/** The full name of a tensor of the model that was trained: not of its momentum encoder. */
export const findName = (rest: Rest, name: string): string | undefined =>
  [...rest.keys()].find((full) => `.${full}`.endsWith(`.${name}`) && !full.includes('momentum_encoder.'))
