import type { RawTensor } from 'trex-torch/safetensors-format'
import { floatsOf, isFloat } from './castTensor.js'

const WIDTH = 384

/** Why a ViT-S of MoCo v3 is refused. */
export const TWELVE_HEADS =
  'pos_embed is that of MoCo v3, whose ViT-S has 12 heads of attention where this encoder has 6'

/**
 * Whether a position embedding [1, 1 + T, D] is that of MoCo v3's ViT-S (https://github.com/facebookresearch/moco-v3,
 * `vits.py`): its tensors have the names and shapes of DINO's, but 12 heads read them. Only its positions, sines and
 * cosines that are not learned, tell: that of the class token is 0.
 */
export function isMocoV3Small(positions: RawTensor): boolean {
  if (positions.shape.at(-1) !== WIDTH || !isFloat(positions.dtype)) return false
  const values = floatsOf(positions)
  return (
    values.length > WIDTH && values.subarray(0, WIDTH).every((x) => x === 0) && values.some((x) => x !== 0)
  )
}
