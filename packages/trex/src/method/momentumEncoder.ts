import { foreach, Module, noGrad, type Tensor } from 'trex-torch'
import type { MultiCropModel } from './multiCropModel.js'

/**
 * The exponential moving average of a model's parameters. Buffers are not averaged: it runs in training mode on its
 * own batch and keeps its own running statistics.
 */
export class MomentumEncoder extends Module {
  readonly model: MultiCropModel
  private readonly source: () => readonly Tensor[]

  /**
   * @param model a copy of `source`, owned by the momentum encoder from here on
   * @param emaMomentum m of p_ema <- m * p_ema + (1 - m) * p
   */
  constructor(
    source: MultiCropModel,
    model: MultiCropModel,
    readonly emaMomentum: number,
  ) {
    super()
    this.model = model.requiresGrad_(false)
    this.model.loadStateDict(source.stateDict())
    this.source = () => source.parameters()
  }

  /** p_ema <- m * p_ema + (1 - m) * p */
  update(): void {
    noGrad(() => foreach.foreachLerp_(this.model.parameters(), this.source(), 1 - this.emaMomentum))
  }

  /** Un-normalised embeddings of one crop [B, 3, S, S], without gradient: [B, D]. */
  override forward(crop: Tensor): Tensor {
    return noGrad(() => this.model.forward(crop))
  }
}
