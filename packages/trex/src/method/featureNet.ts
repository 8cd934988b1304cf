import {
  type BatchNorm2d,
  type Conv2d,
  fusedConv2d,
  keep,
  noGrad,
  Sequential,
  type Tensor,
  tidy,
} from 'trex-torch'
import type { Encoder } from './encoder.js'
import { type Precision, withPrecision } from './precision.js'
import { type BasicBlock, Bottleneck, ResNet } from './resnet.js'

/** An encoder made for features alone: no gradients, no training, and as fast as the device allows. */
export interface FeatureNet extends Disposable {
  readonly featureDim: number
  /** Images [B, 3, S, S], channels last at best, to features [B, featureDim] in float32. */
  forward(images: Tensor): Tensor
}

/**
 * The features of an encoder in evaluation mode in a precision. Of a ResNet the batch norms are folded into the
 * convolutions, which is the same function and in float32 equal to about 1e-6 of the largest feature; in half precision
 * all is computed in it but the mean over positions. A vision transformer computes under autocast. The net holds copies
 * of the weights it changes, and no others: the encoder must stay.
 */
export function featureNet(encoder: Encoder, precision: Precision): FeatureNet {
  const { featureDim } = encoder
  if (encoder instanceof ResNet) return { featureDim, ...foldedResnet(encoder, precision) }
  return {
    featureDim,
    forward: (images) =>
      tidy(() => noGrad(() => withPrecision(precision, () => encoder.forward(images)).to('float32'))), // [B, D]
    [Symbol.dispose]: () => {},
  }
}

/** A convolution that has swallowed the batch norm behind it. */
interface FoldedConv {
  readonly weight: Tensor
  readonly bias: Tensor
  readonly stride: number
  readonly padding: number
}

/** The convolutions of a block in their order, and that of the shortcut where it has one. */
interface FoldedBlock {
  readonly convs: readonly FoldedConv[]
  readonly shortcut: FoldedConv | null
}

function foldedResnet(encoder: ResNet, { dtype }: Precision): Pick<FeatureNet, 'forward'> & Disposable {
  const copies: Tensor[] = []
  const fold = (conv: Conv2d, norm: BatchNorm2d) => {
    const folded = foldNorm(conv, norm, dtype ?? 'float32')
    copies.push(folded.weight, folded.bias)
    return folded
  }
  const stem = fold(encoder.conv1, encoder.bn1)
  const stages = [encoder.layer1, encoder.layer2, encoder.layer3, encoder.layer4]
  const blocks = stages.flatMap(({ layers }) =>
    (layers as readonly (BasicBlock | Bottleneck)[]).map((block): FoldedBlock => {
      const [first, second] = [fold(block.conv1, block.bn1), fold(block.conv2, block.bn2)]
      const third = block instanceof Bottleneck ? [fold(block.conv3, block.bn3)] : []
      const { downsample } = block
      const [conv, norm] = downsample instanceof Sequential ? downsample.layers : []
      const shortcut = conv && norm ? fold(conv as Conv2d, norm as BatchNorm2d) : null
      return { convs: [first, second, ...third], shortcut }
    }),
  )
  return {
    forward: (images) =>
      tidy(() =>
        noGrad(() => {
          const x = dtype ? images.to(dtype) : images // [B, 3, S, S]
          const stemmed = tidy(() => encoder.pool.forward(apply(stem, x, { relu: true }))) // [B, 64, S/4, S/4]
          const map = blocks.reduce(applyBlock, stemmed) // [B, D, S/32, S/32]
          return map.to('float32').mean([2, 3]) // [B, D]
        }),
      ),
    [Symbol.dispose]: () => {
      for (const tensor of copies) tensor.dispose()
    },
  }
}

const apply = (
  { weight, bias, stride, padding }: FoldedConv,
  x: Tensor,
  rest: { relu?: boolean; add?: Tensor } = {},
): Tensor => fusedConv2d(x, weight, bias, { stride, padding, ...rest })

function applyBlock(x: Tensor, { convs, shortcut }: FoldedBlock): Tensor {
  return tidy(() => {
    const hidden = convs.slice(0, -1).reduce((y, conv) => apply(conv, y, { relu: true }), x) // [B, width, H/s, W/s]
    const add = shortcut ? apply(shortcut, x) : x // [B, D, H/s, W/s]
    return apply(convs.at(-1)!, hidden, { add, relu: true }) // [B, D, H/s, W/s]
  })
}

/** y = (conv(x) - mean) / sqrt(var + eps) * weight + bias is a convolution with other weights; computed in float64. */
function foldNorm(conv: Conv2d, norm: BatchNorm2d, dtype: 'float32' | 'bfloat16' | 'float16'): FoldedConv {
  const { stride, padding } = conv.options
  const [weight, bias] = tidy(() =>
    noGrad(() => {
      const scale = norm.weight.to('float64').div(norm.runningVar.to('float64').add(norm.eps).sqrt()) // [out]
      const shift = norm.bias.to('float64').sub(norm.runningMean.to('float64').mul(scale)) // [out]
      const scaled = conv.weight.to('float64').mul(scale.reshape(-1, 1, 1, 1)) // [out, in, k, k]
      return [keep(scaled.to({ dtype, memoryFormat: 'channelsLast' })), keep(shift.to(dtype))] as const
    }),
  )
  return { weight, bias, stride, padding }
}
