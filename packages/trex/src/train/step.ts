import { cat, clipGradNorm_, F, stack, type Tensor, tidy } from 'trex-torch'
import { withPrecision } from '../method/precision.js'
import type { Learner } from './learner.js'
import { partsOf, type StepInput } from './stepInput.js'

export type { StepInput } from './stepInput.js'

/** How a step is computed. */
export interface StepOptions {
  /** Parts that the batch is computed in, one after the other, to save memory. */
  readonly accumulate?: number
  /** Gradients longer than this, over all parameters, are scaled down to it; null: never. */
  readonly clipNorm?: number | null
}

/** What one step says; all of it stays on the device and is detached. */
export interface StepResult {
  /** The mean cross-entropy [] of all crops. */
  readonly loss: Tensor
  /** [M * B, C], the rows of one part after those of another. */
  readonly logits: Tensor
  /** [M * B], the labels of the logits' rows. */
  readonly targets: Tensor
}

/**
 * One training step of Eq. 1 or Eq. 2. With `accumulate` the gradients of parts of the batch are added up: batch norm
 * then sees one part at a time, and the later parts see the bank with the earlier ones in it.
 */
export function trainStep(
  learner: Learner,
  input: StepInput,
  lr: number,
  { accumulate = 1, clipNorm = null }: StepOptions = {},
): StepResult {
  const { optimizer, scaler } = learner
  return tidy(() => {
    optimizer.lr = lr
    optimizer.zeroGrad()
    const parts = partsOf(input, accumulate)
    const results = parts.map((part, i) => {
      const { scaled, ...result } = forward(learner, part, i === 0) // the activations' handles are gone: autograd
      scaled.backward() //                                             frees each as it goes
      return result
    })
    if (clipNorm !== null) {
      scaler.unscale(optimizer)
      const parameters = optimizer.groups.flatMap(({ params }) => params)
      clipGradNorm_(parameters, clipNorm)
    }
    scaler.step(optimizer)
    scaler.update()
    return joined(results)
  })
}

/** The forward pass of a part: its share of the loss, ready for `backward`. */
function forward(
  { model, prototypes, scaler, precision }: Learner,
  { crops, labels, share }: StepInput & { share: number },
  first: boolean,
): StepResult & { scaled: Tensor } {
  return tidy(() => {
    const logits = withPrecision(precision, () => {
      const z = model.embed(crops) //                                  z_j = g(f(x_j))              [M * B, D]
      const logits = prototypes.logits(z) //                           cos(z_j, p_c) / tau          [M * B, C]
      const globalCrop = crops[0]!.narrow(0, 0, labels.size(0)) //     the first crop of each image [B, 3, S, S]
      if (first) prototypes.advance() //                               Eq. 2: p_ema
      prototypes.observe(globalCrop, labels) //                        Eq. 2: the bank
      return logits
    })
    const targets = labels.repeat(logits.size(0) / labels.size(0)) //  crop-major                   [M * B]
    const mean = F.crossEntropy(logits, targets) //                    -1/M sum_j log softmax(.)[y]
    const loss = share === 1 ? mean : mean.mul(share)
    return { loss: loss.detach(), scaled: scaler.scale(loss), logits: logits.detach(), targets }
  })
}

function joined(parts: readonly StepResult[]): StepResult {
  if (parts.length === 1) return parts[0]!
  return {
    loss: stack(parts.map(({ loss }) => loss)).sum(),
    logits: cat(parts.map(({ logits }) => logits)),
    targets: cat(parts.map(({ targets }) => targets)),
  }
}
