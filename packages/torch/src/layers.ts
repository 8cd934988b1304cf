import { empty, ones, zeros } from './create.js'
import * as F from './functional.js'
import type { Generator } from './generator.js'
import { defaultUniform_ } from './init.js'
import { Module } from './module.js'
import { Parameter, type Tensor } from './tensor/tensor.js'
import { keep } from './tidy.js'

/** What layers with weights take besides their sizes: the source of their initial values. */
export interface LayerOptions {
  /** Whether there is a bias; true unless said. */
  bias?: boolean
  /** Where the initial values are drawn from; the default generator unless said. */
  generator?: Generator
}

/** y = x W^T + b, x [..., in], W [out, in]; PyTorch's default initialisation. */
export class Linear extends Module {
  /** [out, in] */
  readonly weight: Parameter
  /** [out] */
  readonly bias: Parameter | null

  constructor(inFeatures: number, outFeatures: number, { bias = true, generator }: LayerOptions = {}) {
    super()
    this.weight = new Parameter(defaultUniform_(empty([outFeatures, inFeatures]), inFeatures, generator))
    this.bias = bias ? new Parameter(defaultUniform_(empty([outFeatures]), inFeatures, generator)) : null
  }

  override forward(x: Tensor): Tensor {
    return F.linear(x, this.weight, this.bias)
  }
}

/** A square 2-d convolution of x [N, in, H, W]; PyTorch's default initialisation. */
export class Conv2d extends Module {
  /** [out, in / groups, kernel, kernel] */
  readonly weight: Parameter
  /** [out] */
  readonly bias: Parameter | null
  /** What `F.conv2d` takes. */
  readonly options: { stride: number; padding: number; dilation: number; groups: number }

  /** @throws RangeError when the groups do not divide the channels. */
  constructor(
    inChannels: number,
    outChannels: number,
    kernel: number,
    options: LayerOptions & { stride?: number; padding?: number; dilation?: number; groups?: number } = {},
  ) {
    super()
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, generator } = options
    if (inChannels % groups || outChannels % groups)
      throw new RangeError(`Conv2d: ${groups} groups do not divide ${inChannels} and ${outChannels} channels`)
    const fanIn = (inChannels / groups) * kernel * kernel
    this.weight = new Parameter(
      defaultUniform_(empty([outChannels, inChannels / groups, kernel, kernel]), fanIn, generator),
    )
    this.bias = bias ? new Parameter(defaultUniform_(empty([outChannels]), fanIn, generator)) : null
    this.options = { stride, padding, dilation, groups }
  }

  override forward(x: Tensor): Tensor {
    return F.conv2d(x, this.weight, this.bias, this.options)
  }
}

/** Normalises channels over the batch: what BatchNorm1d and BatchNorm2d share. */
class BatchNorm extends Module {
  /** The scale after normalising [channels], 1 at first. */
  readonly weight: Parameter
  /** The shift after normalising [channels], 0 at first. */
  readonly bias: Parameter
  /** The mean [channels] that evaluation uses: a running average of the batches' in training. */
  readonly runningMean: Tensor
  /** The variance [channels] that evaluation uses, averaged likewise. */
  readonly runningVar: Tensor
  /** How many batches the averages have seen: an int64 []. */
  readonly numBatchesTracked: Tensor

  constructor(
    readonly channels: number,
    private readonly dims: readonly number[],
    readonly momentum: number,
    readonly eps: number,
  ) {
    super()
    this.weight = new Parameter(ones([channels]))
    this.bias = new Parameter(zeros([channels]))
    this.runningMean = keep(zeros([channels]))
    this.runningVar = keep(ones([channels]))
    this.numBatchesTracked = keep(zeros([], { dtype: 'int64' }))
  }

  /** @throws RangeError when x has the wrong number of dimensions. */
  override forward(x: Tensor): Tensor {
    if (!this.dims.includes(x.dim))
      throw new RangeError(
        `${this.constructor.name} needs ${this.dims.join(' or ')} dimensions, got [${x.shape}]`,
      )
    if (this.training) this.numBatchesTracked.add_(1)
    return F.batchNorm(x, this, this.training, this.momentum, this.eps)
  }
}

/** Batch norm of [N, C] or [N, C, L]. */
export class BatchNorm1d extends BatchNorm {
  constructor(channels: number, { momentum = 0.1, eps = 1e-5 } = {}) {
    super(channels, [2, 3], momentum, eps)
  }
}

/** Batch norm of [N, C, H, W]. */
export class BatchNorm2d extends BatchNorm {
  constructor(channels: number, { momentum = 0.1, eps = 1e-5 } = {}) {
    super(channels, [4], momentum, eps)
  }
}

/** Normalises the last dimension of x [..., features], each row by itself. */
export class LayerNorm extends Module {
  /** The scale after normalising [features], 1 at first. */
  readonly weight: Parameter
  /** The shift after normalising [features], 0 at first. */
  readonly bias: Parameter

  constructor(
    readonly features: number,
    readonly options: { eps?: number } = {},
  ) {
    super()
    this.weight = new Parameter(ones([features]))
    this.bias = new Parameter(zeros([features]))
  }

  override forward(x: Tensor): Tensor {
    return F.layerNorm(x, this.weight, this.bias, this.options.eps)
  }
}

/** max(x, 0); in place it saves the memory of one activation. */
export class ReLU extends Module {
  constructor(readonly inPlace = false) {
    super()
  }
  override forward(x: Tensor): Tensor {
    return this.inPlace ? x.relu_() : x.relu()
  }
}

/** Exact (erf) GELU. */
export class GELU extends Module {
  override forward(x: Tensor): Tensor {
    return F.gelu(x)
  }
}

/** `F.maxPool2d` as a module. */
export class MaxPool2d extends Module {
  constructor(
    readonly kernel: number,
    readonly options: { stride?: number; padding?: number } = {},
  ) {
    super()
  }
  override forward(x: Tensor): Tensor {
    return F.maxPool2d(x, this.kernel, this.options)
  }
}

/** `F.avgPool2d` as a module. */
export class AvgPool2d extends Module {
  constructor(
    readonly kernel: number,
    readonly options: { stride?: number; padding?: number } = {},
  ) {
    super()
  }
  override forward(x: Tensor): Tensor {
    return F.avgPool2d(x, this.kernel, this.options)
  }
}

/** Averages [N, C, H, W] to [N, C, size, size]. */
export class AdaptiveAvgPool2d extends Module {
  constructor(readonly outputSize: number) {
    super()
  }
  override forward(x: Tensor): Tensor {
    return F.adaptiveAvgPool2d(x, this.outputSize)
  }
}

/** [N, ...] to [N, product]. */
export class Flatten extends Module {
  override forward(x: Tensor): Tensor {
    return x.flatten(1)
  }
}

/** Zeroes elements with probability p while training, scaling the rest by 1 / (1 - p). */
export class Dropout extends Module {
  constructor(readonly p = 0.5) {
    super()
  }
  override forward(x: Tensor): Tensor {
    return F.dropout(x, this.p, this.training)
  }
}

/** Passes its input on. */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x
  }
}
