import { floatsOf } from '../checkpoints/castTensor.js'
import type { EncoderWeights } from '../checkpoints/encoderWeights.js'
import { TrexError } from '../errors.js'

/** Reads a tensor that must have a shape. */
export type ReadWeight = (name: string, shape: readonly number[]) => Float32Array

/** @throws TrexError, when called, for a tensor that is missing, has another shape, or does not hold weights */
export function weightReader(tensors: EncoderWeights['tensors']): ReadWeight {
  return (name, shape) => {
    const tensor = tensors.get(name)
    if (!tensor) return unfit(`the weights have no ${name}`)
    if (`${tensor.shape}` !== `${shape}`) return unfit(`${name} is [${tensor.shape}], not [${shape}]`)
    if (!/^(F|BF)\d+$/.test(tensor.dtype)) return unfit(`${name} has elements of type ${tensor.dtype}`)
    return floatsOf(tensor)
  }
}

function unfit(what: string): never {
  throw new TrexError(what, { hint: 'the file does not hold the encoder that its description names' })
}

/** What a file holds beside the encoder. */
export type Rest = EncoderWeights['rest']

/** The full name of a tensor of the model that was trained: not of its momentum encoder. */
export const findName = (rest: Rest, name: string): string | undefined =>
  [...rest.keys()].find((full) => `.${full}`.endsWith(`.${name}`) && !full.includes('momentum_encoder.'))
