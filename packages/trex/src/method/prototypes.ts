import { F, type Generator, Linear, type Tensor } from 'trex-torch'
import { cosineLogits, linearLogits } from './cosineSoftmax.js'

/** What embeddings are compared with: one vector a class, learned or the mean of a memory. */
export interface Prototypes {
  /** Logits of embeddings [N, D] against every class: [N, C]. */
  logits(z: Tensor): Tensor
  /** What happens once a step, after the first logits and before anything is observed. */
  advance(): void
  /** Takes note of a batch after its logits: first global crop [B, 3, S, S] and labels [B]. */
  observe(globalCrop: Tensor, labels: Tensor): void
  /** The vectors as they are now, unit rows where the logits are cosines; no later step changes them: [C, D]. */
  vectors(): Tensor
}

/** Learned class weights w_c (Eq. 1); a temperature of 0 or less means plain softmax on linear logits. */
export class LearnedPrototypes extends Linear implements Prototypes {
  constructor(
    embeddingDim: number,
    classes: number,
    readonly temperature: number,
    generator?: Generator,
  ) {
    super(embeddingDim, classes, { bias: false, generator })
  }

  logits(z: Tensor): Tensor {
    return this.temperature > 0
      ? cosineLogits(z, this.vectors(), this.temperature)
      : linearLogits(z, this.weight)
  }

  vectors(): Tensor {
    return this.temperature > 0 ? F.normalize(this.weight) : this.weight.clone()
  }

  /** Learned weights change by their gradient alone. */
  advance(): void {}
  observe(): void {}
}
