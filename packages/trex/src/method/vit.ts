import {
  Conv2d,
  cat,
  type Generator,
  init,
  LayerNorm,
  Module,
  Parameter,
  type Tensor,
  tidy,
  zeros,
} from 'trex-torch'
import { VIT_DEPTH, type ViTName, vitArchitectures } from './architectures.js'
import type { Encoder } from './encoder.js'
import { LAYER_NORM_EPS, TransformerBlock } from './vitBlock.js'
import { positionsAt } from './vitPositions.js'

// Dosovitskiy et al. 2021 in the sizes of DINO (Caron et al. 2021); names are DINO's and timm's.

/** The shape of a vision transformer beside its name. */
export interface ViTOptions {
  /** Side of the square patches that become tokens, in pixels. */
  patchSize?: number
  /** Features are the class token or the mean of the patch tokens, both after the last norm. */
  pooling?: 'class' | 'mean'
  /** Probability that the last block is left out for an image in training; it grows linearly from 0 at the first. */
  dropPath?: number
  /** Side of the images that the position embedding has a vector for each patch of, in pixels. */
  imageSize?: number
}

/** A linear map of each patch to a token. */
class PatchEmbed extends Module {
  readonly proj: Conv2d

  constructor(patchSize: number, width: number, generator: Generator | undefined) {
    super()
    this.proj = new Conv2d(3, width, patchSize, { stride: patchSize, generator })
  }

  /** [N, 3, H, W] to a map of tokens [N, D, H/P, W/P]. */
  override forward(x: Tensor): Tensor {
    return this.proj.forward(x) // [N, D, H/P, W/P]
  }
}

class VisionTransformer extends Module implements Encoder {
  readonly featureDim: number
  /** [1, 1, D] */
  readonly clsToken: Parameter
  /** [1, 1 + grid^2, D]: the class token's, then the patches' row by row. */
  readonly posEmbed: Parameter
  readonly patchEmbed: PatchEmbed
  readonly blocks: readonly TransformerBlock[]
  readonly norm: LayerNorm

  constructor(
    name: ViTName,
    readonly options: Required<ViTOptions>,
    generator: Generator | undefined,
  ) {
    super()
    const { width, heads } = vitArchitectures[name]
    const { patchSize, imageSize, dropPath } = options
    if (imageSize % patchSize !== 0)
      throw new RangeError(`${name}: images of ${imageSize} px are not made of patches of ${patchSize} px`)
    const random = (...shape: number[]) =>
      new Parameter(init.truncNormal_(zeros(shape), 0, 0.02, -2, 2, generator))
    this.featureDim = width
    this.clsToken = random(1, 1, width)
    this.posEmbed = random(1, 1 + (imageSize / patchSize) ** 2, width)
    this.patchEmbed = new PatchEmbed(patchSize, width, generator)
    this.blocks = Array.from(
      { length: VIT_DEPTH },
      (_, i) => new TransformerBlock(width, heads, (dropPath * i) / (VIT_DEPTH - 1), generator),
    )
    this.norm = new LayerNorm(width, { eps: LAYER_NORM_EPS })
  }

  /**
   * [N, 3, H, W] to features [N, D].
   * @throws RangeError when H or W is no multiple of the patch size.
   */
  override forward(x: Tensor): Tensor {
    return tidy(() => {
      const tokens = this.blocks.reduce((y, block) => block.forward(y), this.tokens(x)) // [N, 1 + T, D]
      const pooled = this.options.pooling === 'class' // the norm is each token's own: what is not used is left out
      if (pooled) return this.norm.forward(tokens.select(1, 0)) // [N, D]
      return this.norm.forward(tokens.narrow(1, 1, tokens.size(1) - 1)).mean(1) // [N, D]
    })
  }

  /** Class token and patches with their positions. */
  private tokens(x: Tensor): Tensor {
    const { patchSize } = this.options
    if (x.size(-2) % patchSize !== 0 || x.size(-1) % patchSize !== 0)
      throw new RangeError(
        `images of ${x.shape.slice(-2).join('x')} px are not made of patches of ${patchSize} px`,
      )
    return tidy(() => {
      const map = this.patchEmbed.forward(x) // [N, D, H/P, W/P]
      const patches = map.flatten(2).transpose(1, 2) // [N, T, D]
      const first = this.clsToken.expand(x.size(0), -1, -1) // [N, 1, D]
      const positions = positionsAt(this.posEmbed, [map.size(2), map.size(3)]) // [1, 1 + T, D]
      return cat([first, patches], 1).add(positions) // [N, 1 + T, D]
    })
  }
}

/**
 * A vision transformer without its classifier: weights are normal with std 0.02, biases 0, the patch projection as
 * PyTorch initialises a convolution, all as in DINO. Defaults: patches of 16 px, images of 224 px, class token.
 * @throws RangeError when the patch size does not divide the image size.
 */
export function vit(
  name: ViTName,
  options: ViTOptions & { generator?: Generator | undefined } = {},
): Encoder {
  const { patchSize = 16, pooling = 'class', dropPath = 0, imageSize = 224, generator } = options
  return new VisionTransformer(name, { patchSize, pooling, dropPath, imageSize }, generator)
}
