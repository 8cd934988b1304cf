import type { ModelDescription } from '../checkpoints/modelDescription.js'

/** Lanczos: the one filter that transformers.js 4 shrinks images with as Pillow does; the others skip pixels. */
const LANCZOS = 1

/**
 * The two files beside onnx/model.onnx that transformers.js reads (4.3: `src/models/registry.js`,
 * `src/image_processors_utils.js`): the class of the model, and how images are prepared.
 */
export function transformersJsFiles({ encoder, featureDim, vit, preprocess }: ModelDescription): {
  readonly config: object
  readonly preprocessor: object
} {
  const { resize, crop, mean, std } = preprocess
  return {
    config: {
      ...(vit
        ? { architectures: ['ViTModel'], model_type: 'vit', patch_size: vit.patchSize, image_size: crop }
        : { architectures: ['ResNetModel'], model_type: 'resnet' }),
      hidden_size: featureDim,
      num_channels: 3,
      trex_encoder: encoder,
    },
    preprocessor: {
      image_processor_type: 'BitImageProcessor',
      ...{ do_convert_rgb: true, do_resize: true, size: { shortest_edge: resize }, resample: LANCZOS },
      ...{ do_center_crop: true, crop_size: { height: crop, width: crop } },
      ...{ do_rescale: true, rescale_factor: 1 / 255 },
      ...{ do_normalize: true, image_mean: mean, image_std: std },
    },
  }
}
