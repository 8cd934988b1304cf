import type { EncoderWeights } from '../checkpoints/encoderWeights.js'
import { DESCRIPTION_KEY, type ModelDescription } from '../checkpoints/modelDescription.js'
import { TrexError } from '../errors.js'
import { type ViTName, vitNames } from '../method/architectures.js'
import { draftGraph, type OnnxGraph, type ValueInfo } from './graph.js'
import { addHeads } from './heads.js'
import { resnetGraph } from './resnetGraph.js'
import { vitGraph } from './vitGraph.js'
import { weightReader } from './weights.js'
import { writeModel } from './writeModel.js'

/** The name of the images: transformers.js gives them under it. */
export const INPUT_NAME = 'pixel_values'

/** How an encoder becomes a graph. */
export interface OnnxOptions {
  /** Of weights and arithmetic; images and all outputs are float32 in both. Default fp32. */
  readonly precision?: 'fp32' | 'fp16'
  /**
   * Names of the outputs. `trex`: those of the description. `transformers.js`: `last_hidden_state`, a ResNet's last map
   * [N, D, H/32, W/32] or a transformer's normed tokens [N, 1 + T, D], and `pooler_output`, the features [N, D], before
   * what else the description lists. Default trex.
   */
  readonly layout?: 'trex' | 'transformers.js'
  /** What the logits of prototypes are divided by, as in training; 0 or less: plain linear logits. */
  readonly temperature?: number
}

/**
 * An ONNX file of an encoder: `pixel_values` [batch, 3, height, width] (float32, normalised as the description says; of
 * a vision transformer the description's crop is both sides) to `features` [batch, D], and where the description lists
 * them `embedding` [batch, E] and `logits` [batch, C]. The description is stored in its metadata.
 * @throws TrexError when a tensor is missing or has a wrong shape, or the patches do not divide the crop
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

/** The graph of `encoderOnnx`. @throws TrexError as that does */
export function encoderGraph(
  weights: EncoderWeights,
  description: ModelDescription,
  { precision = 'fp32', layout = 'trex', temperature }: OnnxOptions = {},
): OnnxGraph {
  const { kind } = weights
  const { encoder, featureDim, preprocess, vit } = description
  const g = draftGraph(precision === 'fp32' ? 'float32' : 'float16')
  const read = weightReader(weights.tensors)
  const images = g.cast(INPUT_NAME, 'graph')
  const isViT = vitNames.includes(kind.encoder as ViTName)
  const values = isViT
    ? vitGraph(g, images, kind, read, { pooling: vit?.pooling ?? 'class', crop: preprocess.crop })
    : resnetGraph(g, images, kind, read)
  const { features } = values
  if (encoder !== kind.encoder || featureDim !== features.width)
    throw new TrexError(
      `the description is of ${encoder} with ${featureDim} features, the weights of ${kind.encoder} with ${features.width}`,
      { hint: 'give the description that belongs to the weights' },
    )
  const sides = isViT ? [preprocess.crop, preprocess.crop] : ['height', 'width']
  const float = (name: string, dims: readonly (number | string)[]): ValueInfo => ({
    name,
    type: 'float32',
    dims,
  })
  const inputs = [float(INPUT_NAME, ['batch', 3, ...sides])]
  const pooled =
    layout === 'trex' ? features : { ...features, name: g.node('pooler_output', 'Identity', [features.name]) }
  const vectors = [pooled, ...addHeads(g, features, weights.rest, description, temperature)]
  const outputs = vectors.map(({ name, width }) => float(name, ['batch', width]))
  if (layout === 'trex') return g.finish(inputs, outputs)
  const hidden = g.node('last_hidden_state', 'Identity', [values.hidden])
  return g.finish(inputs, [float(hidden, values.hiddenDims), ...outputs])
}
