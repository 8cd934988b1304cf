import type { EncoderWeights } from '../checkpoints/encoderWeights.js'
import { DESCRIPTION_KEY, type ModelDescription } from '../checkpoints/modelDescription.js'
import { draftGraph, type OnnxGraph } from './graph.js'
import { resnetGraph } from './resnetGraph.js'
import { weightReader } from './weights.js'
import { writeModel } from './writeModel.js'

/** The name of the images: transformers.js gives them under it. */
export const INPUT_NAME = 'pixel_values'

/** How an encoder becomes a graph. */
export interface OnnxOptions {
  /** Of weights and arithmetic; images and all outputs are float32 in both. Default fp32. */
  readonly precision?: 'fp32' | 'fp16'
}

/**
 * An ONNX file of an encoder: `pixel_values` [batch, 3, height, width] (float32, normalised as the description says) to
 * `features` [batch, D]. The description is stored in its metadata.
 * @throws TrexError when a tensor is missing or has a wrong shape
 */
export function encoderOnnx(
  weights: EncoderWeights,
  description: ModelDescription,
  options: OnnxOptions = {},
): Uint8Array<ArrayBuffer> {
  return writeModel(encoderGraph(weights, description, options), {
    [DESCRIPTION_KEY]: JSON.stringify(description),
  })
}

/** The graph of `encoderOnnx`. */
export function encoderGraph(
  { kind, tensors }: EncoderWeights,
  _description: ModelDescription,
  { precision = 'fp32' }: OnnxOptions = {},
): OnnxGraph {
  const g = draftGraph(precision === 'fp32' ? 'float32' : 'float16')
  const read = weightReader(tensors)
  const { features, featureDim } = resnetGraph(g, g.cast(INPUT_NAME, 'graph'), kind, read)
  return g.finish(
    [{ name: INPUT_NAME, type: 'float32', dims: ['batch', 3, 'height', 'width'] }],
    [{ name: features, type: 'float32', dims: ['batch', featureDim] }],
  )
}
