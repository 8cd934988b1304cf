import {
  BatchNorm2d,
  Conv2d,
  F,
  type Generator,
  Identity,
  init,
  MaxPool2d,
  Module,
  Sequential,
  type Tensor,
  tidy,
} from 'trex-torch'
import { type ResNetName, resnetArchitectures } from './architectures.js'
import type { Encoder } from './encoder.js'

// He et al. 2016, v1.5: the bottleneck strides in its 3x3 convolution. Names are torchvision's.

/** `small` replaces the 7x7 stride-2 convolution and the pooling by a 3x3 convolution, for images of 32-64 px. */
export interface ResNetOptions {
  stem?: 'imagenet' | 'small'
}

type Init = Generator | undefined

/** A convolution without bias, Kaiming normal (fan out, ReLU). */
function conv(input: number, output: number, kernel: number, stride: number, generator: Init): Conv2d {
  const layer = new Conv2d(input, output, kernel, { stride, padding: kernel >> 1, bias: false, generator })
  init.kaimingNormal_(layer.weight, 'fanOut', generator)
  return layer
}

/** 1x1 convolution and batch norm that fit the shortcut to the block's output, where they differ. */
function shortcut(input: number, output: number, stride: number, generator: Init): Module {
  if (stride === 1 && input === output) return new Identity()
  return new Sequential(conv(input, output, 1, stride, generator), new BatchNorm2d(output))
}

/** Two 3x3 convolutions. */
export class BasicBlock extends Module {
  static readonly expansion = 1
  readonly conv1: Conv2d
  readonly bn1: BatchNorm2d
  readonly conv2: Conv2d
  readonly bn2: BatchNorm2d
  readonly downsample: Module

  constructor(input: number, width: number, stride: number, generator: Init) {
    super()
    this.conv1 = conv(input, width, 3, stride, generator)
    this.bn1 = new BatchNorm2d(width)
    this.conv2 = conv(width, width, 3, 1, generator)
    this.bn2 = new BatchNorm2d(width)
    this.downsample = shortcut(input, width, stride, generator)
  }

  override forward(x: Tensor): Tensor {
    return tidy(() => {
      const hidden = this.bn1.forward(this.conv1.forward(x)).relu_() // [N, width, H/s, W/s]
      const residual = this.bn2.forward(this.conv2.forward(hidden)) // [N, width, H/s, W/s]
      return residual.add_(this.downsample.forward(x)).relu_()
    })
  }
}

/** 1x1, 3x3 (with the stride), 1x1 to four times the width. */
export class Bottleneck extends Module {
  static readonly expansion = 4
  readonly conv1: Conv2d
  readonly bn1: BatchNorm2d
  readonly conv2: Conv2d
  readonly bn2: BatchNorm2d
  readonly conv3: Conv2d
  readonly bn3: BatchNorm2d
  readonly downsample: Module

  constructor(input: number, width: number, stride: number, generator: Init) {
    super()
    const output = width * Bottleneck.expansion
    this.conv1 = conv(input, width, 1, 1, generator)
    this.bn1 = new BatchNorm2d(width)
    this.conv2 = conv(width, width, 3, stride, generator)
    this.bn2 = new BatchNorm2d(width)
    this.conv3 = conv(width, output, 1, 1, generator)
    this.bn3 = new BatchNorm2d(output)
    this.downsample = shortcut(input, output, stride, generator)
  }

  override forward(x: Tensor): Tensor {
    return tidy(() => {
      const reduced = this.bn1.forward(this.conv1.forward(x)).relu_() // [N, width, H, W]
      const mixed = this.bn2.forward(this.conv2.forward(reduced)).relu_() // [N, width, H/s, W/s]
      const residual = this.bn3.forward(this.conv3.forward(mixed)) // [N, 4 width, H/s, W/s]
      return residual.add_(this.downsample.forward(x)).relu_()
    })
  }
}

/** He et al.'s network without its last linear layer. */
export class ResNet extends Module implements Encoder {
  readonly featureDim: number
  readonly conv1: Conv2d
  readonly bn1: BatchNorm2d
  readonly pool: Module
  readonly layer1: Sequential
  readonly layer2: Sequential
  readonly layer3: Sequential
  readonly layer4: Sequential

  constructor(name: ResNetName, stem: 'imagenet' | 'small', generator: Init) {
    super()
    const { block, depths } = resnetArchitectures[name]
    const Block = block === 'basic' ? BasicBlock : Bottleneck
    this.conv1 = stem === 'imagenet' ? conv(3, 64, 7, 2, generator) : conv(3, 64, 3, 1, generator)
    this.bn1 = new BatchNorm2d(64)
    this.pool = stem === 'imagenet' ? new MaxPool2d(3, { stride: 2, padding: 1 }) : new Identity()
    let channels = 64
    const stage = (depth: number, width: number, stride: number) => {
      const blocks = Array.from({ length: depth }, (_, i) => {
        const input = i === 0 ? channels : width * Block.expansion
        return new Block(input, width, i === 0 ? stride : 1, generator)
      })
      channels = width * Block.expansion
      return new Sequential(...blocks)
    }
    this.layer1 = stage(depths[0], 64, 1)
    this.layer2 = stage(depths[1], 128, 2)
    this.layer3 = stage(depths[2], 256, 2)
    this.layer4 = stage(depths[3], 512, 2)
    this.featureDim = channels
  }

  /** [N, 3, H, W] to features [N, featureDim]. */
  override forward(x: Tensor): Tensor {
    return tidy(() => {
      const stem = tidy(() => this.pool.forward(this.bn1.forward(this.conv1.forward(x)).relu_())) // [N, 64, H/4, W/4]
      const map = [this.layer1, this.layer2, this.layer3, this.layer4].reduce(
        (y, layer) => layer.forward(y),
        stem,
      )
      return F.adaptiveAvgPool2d(map, 1).flatten(1) // [N, featureDim]
    })
  }
}

/** A ResNet without its last linear layer, initialised as in the paper. */
export function resnet(name: ResNetName, options: ResNetOptions & { generator?: Generator } = {}): Encoder {
  return new ResNet(name, options.stem ?? 'imagenet', options.generator)
}
