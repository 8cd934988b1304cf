import { F, type Generator, keep, Module, noGrad, randint, randn, type Tensor, tidy, zeros } from 'trex-torch'

/** A ring of embeddings and labels, from which class prototypes are made (Eq. 2). */
export class MemoryBank extends Module {
  readonly features: Tensor // [Q, D]
  readonly labels: Tensor // [Q] int64
  /** The row written next. Kept on the host, so that no step waits for the device. */
  pointer = 0

  /** Starts as N(0, 1) noise with uniform random labels, as the published models did. */
  constructor(
    readonly size: number,
    embeddingDim: number,
    readonly classes: number,
    generator?: Generator,
  ) {
    super()
    this.features = keep(randn([size, embeddingDim], { generator }))
    this.labels = keep(randint(0, classes, [size], generator))
  }

  /** u_c: the normalised sum of the stored embeddings of class c; zeros for a class without any. [C, D] */
  prototypes(): Tensor {
    return noGrad(() =>
      tidy(() => {
        const { dtype, device } = this.features
        const sums = zeros([this.classes, this.features.size(1)], { dtype, device })
        return F.normalize(sums.indexAdd_(0, this.labels, this.features)) // [C, D]
      }),
    )
  }

  /** Writes embeddings [B, D] and labels [B] at the pointer; rows past the end are dropped, not wrapped. */
  enqueue(embeddings: Tensor, labels: Tensor): void {
    const count = Math.min(embeddings.size(0), this.size - this.pointer)
    noGrad(() =>
      tidy(() => {
        this.features.narrow(0, this.pointer, count).copy_(embeddings.narrow(0, 0, count))
        this.labels.narrow(0, this.pointer, count).copy_(labels.narrow(0, 0, count))
      }),
    )
    this.pointer = (this.pointer + count) % this.size
  }

  override forward(): Tensor {
    return this.prototypes()
  }
}
