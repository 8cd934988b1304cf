import { Module, type Tensor, tidy } from 'trex-torch'
import { cosineLogits } from './cosineSoftmax.js'
import type { MemoryBank } from './memoryBank.js'
import type { MomentumEncoder } from './momentumEncoder.js'
import type { Prototypes } from './prototypes.js'

/** Prototypes u_c: class means of a memory bank that a momentum encoder fills (Eq. 2). */
export class OnlineClassMeans extends Module implements Prototypes {
  constructor(
    readonly memoryBank: MemoryBank,
    readonly momentumEncoder: MomentumEncoder,
    readonly temperature: number,
  ) {
    super()
  }

  logits(z: Tensor): Tensor {
    return cosineLogits(z, this.vectors(), this.temperature) // [N, C]
  }

  vectors(): Tensor {
    return this.memoryBank.prototypes() // [C, D]
  }

  /** Advances the momentum encoder with the weights of before this step's update. */
  advance(): void {
    this.momentumEncoder.update()
  }

  /** Stores what the momentum encoder sees. */
  observe(globalCrop: Tensor, labels: Tensor): void {
    tidy(() => this.memoryBank.enqueue(this.momentumEncoder.forward(globalCrop), labels))
  }

  override forward(z: Tensor): Tensor {
    return this.logits(z)
  }
}
