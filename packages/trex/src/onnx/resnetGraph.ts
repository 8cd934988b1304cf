import type { EncoderKind } from '../checkpoints/encoderKind.js'
import { type ResNetName, resnetArchitectures } from '../method/architectures.js'
import { foldedBias, foldedWeight } from './foldNorm.js'
import type { EncoderValues, GraphDraft } from './graph.js'
import type { ReadWeight } from './weights.js'

interface Conv {
  /** Names of the convolution and of its batch norm. */
  readonly layer: string
  readonly norm: string
  readonly input: number
  readonly output: number
  readonly kernel: number
  readonly stride: number
}

/** A ResNet as in `method/resnet.ts`, its batch norms folded, on images of any size [N, 3, H, W]. */
export function resnetGraph(
  g: GraphDraft,
  images: string,
  kind: EncoderKind,
  read: ReadWeight,
): EncoderValues {
  const { block, depths } = resnetArchitectures[kind.encoder as ResNetName]
  const expansion = block === 'bottleneck' ? 4 : 1
  const conv = (x: string, { layer, norm, input, output, kernel, stride }: Conv) => {
    const names = { layer, norm, shape: [output, input, kernel, kernel] }
    const weight = g.weight(`${layer}.weight`, names.shape, () => foldedWeight(read, names))
    const bias = g.weight(`${layer}.bias`, [output], () => foldedBias(read, names))
    return g.node(layer, 'Conv', [x, weight, bias], square(kernel, stride, kernel >> 1))
  }
  const relu = (x: string) => g.node(`${x}.relu`, 'Relu', [x])

  const stem = { layer: 'conv1', norm: 'bn1', input: 3, output: 64 }
  let x = images
  if (kind.stem === 'small')
    x = relu(conv(x, { ...stem, kernel: 3, stride: 1 })) // [N, 64, H, W]
  else {
    x = relu(conv(x, { ...stem, kernel: 7, stride: 2 })) // [N, 64, H/2, W/2]
    x = g.node('maxpool', 'MaxPool', [x], square(3, 2, 1)) // [N, 64, H/4, W/4]
  }
  let channels = 64
  for (const [i, depth] of depths.entries()) {
    const width = 64 << i
    for (let j = 0; j < depth; j++) {
      const name = `layer${i + 1}.${j}`
      const stride = i > 0 && j === 0 ? 2 : 1
      const output = width * expansion
      const layers = (
        block === 'basic'
          ? [
              { input: channels, output: width, kernel: 3, stride },
              { input: width, output: width, kernel: 3, stride: 1 },
            ]
          : [
              { input: channels, output: width, kernel: 1, stride: 1 },
              { input: width, output: width, kernel: 3, stride },
              { input: width, output, kernel: 1, stride: 1 },
            ]
      ).map((shape, k) => ({ layer: `${name}.conv${k + 1}`, norm: `${name}.bn${k + 1}`, ...shape }))
      const residual = layers.reduce((y, layer, k) => conv(k === 0 ? y : relu(y), layer), x) // [N, output, H/s, W/s]
      const skip = { layer: `${name}.downsample.0`, norm: `${name}.downsample.1`, kernel: 1, stride }
      const shortcut = stride === 1 && channels === output ? x : conv(x, { ...skip, input: channels, output })
      x = relu(g.node(name, 'Add', [residual, shortcut])) // [N, output, H/s, W/s]
      channels = output
    }
  }
  const hidden = g.cast(x, 'float32') // [N, D, H/32, W/32]
  const pooled = g.node('avgpool', 'GlobalAveragePool', [hidden]) // [N, D, 1, 1]
  const features = g.node('features', 'Flatten', [pooled], { axis: 1 }) // [N, D]
  return {
    features: { name: features, width: channels },
    hidden,
    hiddenDims: ['batch', channels, 'rows', 'columns'],
  }
}

/** Attributes of a square window with the same padding on all four sides. */
const square = (kernel: number, stride: number, pad: number) => ({
  kernel_shape: [kernel, kernel],
  strides: [stride, stride],
  pads: [pad, pad, pad, pad],
})
