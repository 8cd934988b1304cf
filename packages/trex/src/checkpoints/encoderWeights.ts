import type { RawTensor } from 'trex-torch/safetensors'
import type { EncoderKind } from './encoderKind.js'

/** An encoder's tensors under the names of torchvision and DINO, whatever file they came from. */
export interface EncoderWeights {
  readonly kind: EncoderKind
  /** Names without prefix: `conv1.weight`, `blocks.0.attn.qkv.bias`. */
  readonly tensors: ReadonlyMap<string, RawTensor>
  /** What else the file has, under its full names: projector, prototypes, classifier. */
  readonly rest: ReadonlyMap<string, RawTensor>
}
