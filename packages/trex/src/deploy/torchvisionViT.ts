import type { TensorSource } from 'trex-torch/safetensors'

/** Where timm's names and torchvision's differ (torchvision/models/vision_transformer.py). */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^cls_token$/, 'class_token'],
  [/^pos_embed$/, 'encoder.pos_embedding'],
  [/^patch_embed\.proj\./, 'conv_proj.'],
  [/^blocks\.(\d+)\.norm([12])\./, 'encoder.layers.encoder_layer_$1.ln_$2.'],
  [/^blocks\.(\d+)\.attn\.qkv\.(weight|bias)$/, 'encoder.layers.encoder_layer_$1.self_attention.in_proj_$2'],
  [/^blocks\.(\d+)\.attn\.proj\./, 'encoder.layers.encoder_layer_$1.self_attention.out_proj.'],
  [/^blocks\.(\d+)\.mlp\.fc1\./, 'encoder.layers.encoder_layer_$1.mlp.0.'],
  [/^blocks\.(\d+)\.mlp\.fc2\./, 'encoder.layers.encoder_layer_$1.mlp.3.'],
  [/^norm\./, 'encoder.ln.'],
  [/^head\./, 'heads.head.'],
]

/** A vision transformer's tensors under the names of torchvision's VisionTransformer; their values are the same. */
export const torchvisionViT = (tensors: readonly TensorSource[]): TensorSource[] =>
  tensors.map((tensor) => {
    const [pattern, name] = NAMES.find(([pattern]) => pattern.test(tensor.name))!
    return { ...tensor, name: tensor.name.replace(pattern, name) }
  })
