import type { RawTensor } from 'trex-torch/safetensors'
import type { EncoderWeights } from '../checkpoints/encoderWeights.js'
import type { ModelDescription } from '../checkpoints/modelDescription.js'

/** A model as it leaves: its encoder, what it was trained with, and how images are prepared for it. */
export interface DeployedModel {
  readonly weights: EncoderWeights
  /** Of the encoder alone. */
  readonly description: ModelDescription
  readonly heads: Heads
}

/** What follows an encoder; null where the model has none, or the file does not tell enough of it. */
export interface Heads {
  /** From features to embeddings: tensors as `layers.1.fc.weight`. */
  readonly projector: ReadonlyMap<string, RawTensor> | null
  /** What embeddings (without a projector features) are compared with. */
  readonly prototypes: ClassVectors | null
  /** A linear map of features to logits. */
  readonly classifier: LinearHead | null
  /** Names of the classes, where they are known. */
  readonly classes: readonly string[] | null
}

/** A vector a class. */
export interface ClassVectors {
  /** [C, D], F32; unit rows where they are class means. */
  readonly vectors: RawTensor
  /** Logits are cosines divided by it; 0: scalar products. */
  readonly temperature: number
}

/** Weights [C, D] and biases [C] of a linear layer, both F32; no bias is one of zeros. */
export interface LinearHead {
  readonly weight: RawTensor
  readonly bias: RawTensor | null
}

/** What an export may hold beside the encoder. */
export const PARTS = ['projector', 'classifier', 'prototypes'] as const
export type Part = (typeof PARTS)[number]
