import {
  BatchNorm1d,
  F,
  GELU,
  type Generator,
  init,
  Linear,
  Module,
  Sequential,
  type Tensor,
} from 'trex-torch'

/** The shape of the projector; defaults are the paper's. */
export interface ProjectorOptions {
  /** L, the number of hidden layers: small favours the training task, large favours transfer. */
  layers?: number
  hidden?: number
  bottleneck?: number
  /** Whether features are l2-normalised first. */
  l2Input?: boolean
}

/** x / max(||x||_2, 1e-12) per row. */
class L2Normalize extends Module {
  override forward(x: Tensor): Tensor {
    return F.normalize(x)
  }
}

function linear(input: number, output: number, bias: boolean, generator: Generator | undefined): Linear {
  const layer = new Linear(input, output, { bias, generator })
  init.truncNormal_(layer.weight, 0, 0.02, -2, 2, generator)
  if (layer.bias) init.constant_(layer.bias, 0)
  return layer
}

/** Linear -> BatchNorm1d -> GELU. */
class HiddenLayer extends Module {
  readonly fc: Linear
  readonly bn: BatchNorm1d
  private readonly gelu = new GELU()

  constructor(input: number, output: number, generator: Generator | undefined) {
    super()
    this.fc = linear(input, output, true, generator)
    this.bn = new BatchNorm1d(output)
  }

  override forward(x: Tensor): Tensor {
    return this.gelu.forward(this.bn.forward(this.fc.forward(x))) // [N, hidden]
  }
}

/** The expendable projector g: features [N, F] to embeddings z [N, D]; thrown away after training. */
export class Projector extends Module {
  readonly layers: Sequential
  readonly embeddingDim: number

  constructor(featureDim: number, options: ProjectorOptions & { generator?: Generator } = {}) {
    super()
    const { layers = 3, hidden = 2048, bottleneck = 256, l2Input = true, generator } = options
    const modules: Module[] = l2Input ? [new L2Normalize()] : []
    for (let i = 0; i < layers; i++)
      modules.push(new HiddenLayer(i === 0 ? featureDim : hidden, hidden, generator))
    modules.push(linear(layers === 0 ? featureDim : hidden, bottleneck, false, generator))
    this.layers = new Sequential(...modules)
    this.embeddingDim = bottleneck
  }

  override forward(features: Tensor): Tensor {
    return this.layers.forward(features) // [N, D]
  }
}
