import { Conv2d, F, Generator, GradScaler, Module, SGD, type Tensor } from 'trex-torch'
import type { Encoder } from '../../src/method/encoder.js'
import { MemoryBank } from '../../src/method/memoryBank.js'
import { MomentumEncoder } from '../../src/method/momentumEncoder.js'
import { MultiCropModel } from '../../src/method/multiCropModel.js'
import { OnlineClassMeans } from '../../src/method/onlineClassMeans.js'
import { Projector } from '../../src/method/projector.js'
import type { Learner } from '../../src/train/learner.js'

class TinyEncoder extends Module implements Encoder {
  readonly featureDim = 6
  readonly conv: Conv2d

  constructor(generator: Generator) {
    super()
    this.conv = new Conv2d(3, 6, 3, { generator })
  }

  override forward(x: Tensor): Tensor {
    return F.adaptiveAvgPool2d(this.conv.forward(x), 1).flatten(1)
  }
}

/** A whole learner (online class means, momentum SGD) of a few thousand numbers. */
export function tinyLearner(seed = 1): Learner {
  const generator = new Generator(seed)
  const create = () =>
    new MultiCropModel(
      new TinyEncoder(generator),
      new Projector(6, { layers: 1, hidden: 8, bottleneck: 4, generator }),
    )
  const model = create()
  const momentumEncoder = new MomentumEncoder(model, create(), 0.9)
  const prototypes = new OnlineClassMeans(new MemoryBank(16, 4, 3, generator), momentumEncoder, 0.1)
  const optimized = [...model.namedParameters('model')]
  return {
    model,
    prototypes,
    optimizer: new SGD(
      optimized.map(([, parameter]) => parameter),
      { lr: 0.1, momentum: 0.9 },
    ),
    optimized: optimized.map(([name]) => name),
    scaler: new GradScaler({ enabled: false }),
    precision: { device: 'cpu', dtype: null },
  }
}
