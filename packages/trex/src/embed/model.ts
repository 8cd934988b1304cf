import type { ByteSource } from '../checkpoints/byteSource.js'
import type { Checkpoint } from '../checkpoints/checkpoint.js'
import { describeEncoder } from '../checkpoints/describeEncoder.js'
import { type EncoderWeights, encoderWeights } from '../checkpoints/encoderWeights.js'
import { descriptionOf, type ModelDescription } from '../checkpoints/modelDescription.js'
import { openCheckpoint } from '../checkpoints/openCheckpoint.js'
import { TrexError } from '../errors.js'
import { encoderOnnx } from '../onnx/encoderOnnx.js'

/** How images are prepared for an encoder. */
export type Preprocess = ModelDescription['preprocess']

/** What a file may not tell of its model. */
export interface Given {
  /** How images are prepared, or parts of it; all of it is needed for an ONNX file of others. */
  readonly preprocess?: Partial<Preprocess> | undefined
  /** The same of a file that says nothing of it. */
  readonly defaults?: (() => Partial<Preprocess>) | undefined
  /** Side of the images in pixels; needed for weights of a ResNet with the small stem. */
  readonly imageSize?: number | undefined
  /** What of the tokens is the features: of a vision transformer's weights, or of an output [B, T, D] of a graph. */
  readonly pooling?: 'class' | 'mean' | undefined
  /** Where the encoder is in a file with several, as `teacher`. */
  readonly key?: string | undefined
}

/** A file of a model: weights of an encoder that is known here, or a graph that is run as it is. */
export type Model = WeightsModel | GraphModel

/** Weights. */
export interface WeightsModel {
  readonly name: string
  readonly weights: EncoderWeights
  readonly description: ModelDescription
}

/** An ONNX graph. */
export interface GraphModel {
  readonly name: string
  readonly weights: null
  /** Of a graph of others null. */
  readonly description: ModelDescription | null
  readonly preprocess: Preprocess
}

/**
 * Reads a file of weights (PyTorch's, safetensors, npz) whole, or of an ONNX graph what it says of itself.
 * @throws TrexError when it is neither, is damaged, or does not tell what is not given.
 */
export function readModel(source: ByteSource, given: Given = {}): Model {
  const checkpoint = openCheckpoint(source)
  if (checkpoint.format === 'onnx') return graphModel(checkpoint, given)
  const { weights } = encoderWeights(checkpoint, given.key === undefined ? {} : { key: given.key })
  const stored = descriptionOf(checkpoint)
  return { name: source.name, weights, description: described(source.name, weights, stored, given) }
}

/** The graph of weights as an ONNX file. @throws TrexError as `encoderOnnx` does. */
export function graphOf(
  { weights, description }: WeightsModel,
  precision: 'fp32' | 'fp16',
): Uint8Array<ArrayBuffer> {
  return encoderOnnx(weights, { ...description, outputs: ['features'] }, { precision })
}

function described(
  name: string,
  { kind }: EncoderWeights,
  stored: ModelDescription | undefined,
  { imageSize, pooling, preprocess = {}, defaults }: Given,
): ModelDescription {
  try {
    const { vit, preprocess: before = elsewhere(preprocess, defaults) } = stored ?? {}
    const size = imageSize === undefined ? {} : { resize: imageSize, crop: imageSize }
    return describeEncoder(kind, {
      imageSize: imageSize ?? preprocess.crop ?? before?.crop,
      pooling: pooling ?? vit?.pooling,
      preprocess: { ...before, ...size, ...preprocess },
    })
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new TrexError(`${name}: ${cause.message}`, { hint: 'give the option imageSize, as 32', cause })
  }
}

const EXAMPLE =
  '{ resize: 256, crop: 224, filter: "bicubic", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }'
const PARTS = ['resize', 'crop', 'filter', 'mean', 'std'] as const

/** What is asked for elsewhere where not all of it is given. */
const elsewhere = (given: Partial<Preprocess> = {}, defaults: Given['defaults']) =>
  PARTS.every((part) => given[part] !== undefined) ? undefined : defaults?.()

function graphModel(checkpoint: Checkpoint, { preprocess, defaults, imageSize }: Given): GraphModel {
  const { name } = checkpoint
  const stored = descriptionOf(checkpoint)
  const size = imageSize === undefined ? {} : { resize: imageSize, crop: imageSize }
  const all = { ...(stored?.preprocess ?? elsewhere(preprocess, defaults)), ...size, ...preprocess }
  const missing = PARTS.filter((part) => all[part] === undefined)
  if (missing.length > 0) {
    const parts = missing.length === PARTS.length ? '' : `: ${missing.join(', ')} of preprocess is missing`
    throw new TrexError(`${name} does not say how images are prepared for it${parts}`, {
      hint: `give the option preprocess, as ${EXAMPLE}, with the numbers it was trained with`,
    })
  }
  const complete = all as Preprocess
  return {
    ...{ name, weights: null, preprocess: complete },
    description: stored ? { ...stored, preprocess: complete } : null,
  }
}

/** The description of a graph of others, whose features were found to have that width. */
export const graphDescription = (preprocess: Preprocess, featureDim: number): ModelDescription => ({
  ...{ version: 1, encoder: null, featureDim, preprocess },
  outputs: ['features'],
})
