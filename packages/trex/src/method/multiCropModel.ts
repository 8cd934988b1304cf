import { cat, Module, type Tensor, tidy } from 'trex-torch'
import type { Encoder } from './encoder.js'
import type { Projector } from './projector.js'

/** z = g(f(x)) over crops of several resolutions; without a projector z is the features. */
export class MultiCropModel extends Module {
  constructor(
    readonly encoder: Encoder,
    readonly projector: Projector | null,
  ) {
    super()
  }

  /** The width of an embedding. */
  get embeddingDim(): number {
    return this.projector?.embeddingDim ?? this.encoder.featureDim
  }

  /**
   * Crops of equal size go through the encoder together, so that batch statistics are per resolution; the
   * projector then sees all of them in one pass.
   * @param crops one tensor a resolution [count * B, 3, S, S], crop-major, globals first
   * @returns embeddings [M * B, D] in the same order
   */
  embed(crops: readonly Tensor[]): Tensor {
    return tidy(() => {
      const features = mergeEqualSizes(crops).map((x) => this.encoder.forward(x)) // each [count * B, F]
      const all = features.length === 1 ? features[0]! : cat(features) // [M * B, F]
      return this.projector ? this.projector.forward(all) : all // [M * B, D]
    })
  }

  override forward(x: Tensor): Tensor {
    return this.embed([x]) // [N, D]
  }
}

/** Joins neighbours of one resolution, whose batch statistics are then common. */
function mergeEqualSizes(crops: readonly Tensor[]): Tensor[] {
  const runs: Tensor[][] = []
  for (const x of crops) {
    const run = runs.at(-1)
    if (run && run[0]!.size(-1) === x.size(-1)) run.push(x)
    else runs.push([x])
  }
  return runs.map((run) => (run.length === 1 ? run[0]! : cat(run)))
}
