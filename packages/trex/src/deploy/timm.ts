import { TrexError } from '../errors.js'
import type { DeployedModel, Part } from './deployedModel.js'

/**
 * The config.json beside model.safetensors with which `timm.create_model('local-dir:FOLDER', pretrained=True)` or
 * `hf-hub:USER/REPO` builds the model, and its data config makes the images (timm 1.0, `_hub.py`).
 * @throws TrexError for an encoder that timm has not, or a position embedding of another size than the images.
 */
export function timmConfig({ weights, description, heads }: DeployedModel, parts: readonly Part[]): object {
  const { kind } = weights
  const { encoder, preprocess, featureDim, stem, vit } = description
  if (stem === 'small')
    throw new TrexError('timm has no ResNet whose first layer is 3x3 without pooling (the small stem)', {
      hint: 'export it with --format safetensors, torchvision or onnx',
    })
  const { crop, resize, filter, mean, std } = preprocess
  if (vit && kind.imageSize !== crop)
    throw new TrexError(`the position embedding is of images of ${kind.imageSize} px, not ${crop}`, {
      hint: `timm takes those alone: leave out --size, or give --size ${kind.imageSize}`,
    })
  const classifier = parts.includes('classifier')
  const numClasses = classifier ? heads.classifier!.weight.shape[0]! : 0
  return {
    architecture: vit ? `${encoder}_patch16_224` : encoder,
    num_classes: numClasses,
    num_features: featureDim,
    ...(vit && { model_args: vitArguments(vit, crop) }),
    ...(classifier && heads.classes && { label_names: heads.classes }),
    pretrained_cfg: {
      input_size: [3, crop, crop],
      fixed_input_size: vit !== undefined,
      interpolation: filter,
      crop_pct: cropPct(crop, resize),
      crop_mode: 'center',
      mean,
      std,
      num_classes: numClasses,
      ...(vit ? {} : { pool_size: [Math.ceil(crop / 32), Math.ceil(crop / 32)] }),
      first_conv: vit ? 'patch_embed.proj' : 'conv1',
      classifier: vit ? 'head' : 'fc',
    },
  }
}

/** Of timm's VisionTransformer; its mean of tokens comes after the norm only without a norm of its own. */
const vitArguments = (
  { patchSize, pooling }: NonNullable<DeployedModel['description']['vit']>,
  side: number,
) => ({
  img_size: side,
  patch_size: patchSize,
  ...(pooling === 'mean' && { global_pool: 'avg', fc_norm: false }),
})

/** The share of the resized image that is taken, such that timm, which rounds the other side down, resizes to `resize`. */
export function cropPct(crop: number, resize: number): number {
  const share = crop / resize
  return Math.floor(crop / share) === resize ? share : crop / (resize + 0.25)
}
