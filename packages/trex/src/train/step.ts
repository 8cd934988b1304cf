import { F, type Tensor, tidy } from 'trex-torch'
import { withPrecision } from '../method/precision.js'
import type { Learner } from './learner.js'

/** What one step learns from. */
export interface StepInput {
  /** One tensor a resolution [count * B, 3, S, S], crop-major, globals first. */
  readonly crops: readonly Tensor[]
  /** Class numbers [B], int64. */
  readonly labels: Tensor
}

/** One training step of Eq. 1 or Eq. 2; returns the loss [] and the logits [M * B, C], both detached. */
export function trainStep(
  learner: Learner,
  { crops, labels }: StepInput,
  lr: number,
): { loss: Tensor; logits: Tensor } {
  const { model, prototypes, optimizer, scaler, precision } = learner
  return tidy(() => {
    optimizer.lr = lr
    optimizer.zeroGrad()
    const { loss, scaled, logits } = tidy(() => {
      const logits = withPrecision(precision, () => {
        const z = model.embed(crops) //                                  z_j = g(f(x_j))              [M * B, D]
        const logits = prototypes.logits(z) //                           cos(z_j, p_c) / tau          [M * B, C]
        const globalCrop = crops[0]!.narrow(0, 0, labels.size(0)) //     the first crop of each image [B, 3, S, S]
        prototypes.observe(globalCrop, labels) //                        Eq. 2: p_ema, then the bank
        return logits
      })
      const targets = labels.repeat(logits.size(0) / labels.size(0)) //  crop-major                   [M * B]
      const loss = F.crossEntropy(logits, targets) //                    -1/M sum_j log softmax(.)[y]
      return { loss: loss.detach(), scaled: scaler.scale(loss), logits: logits.detach() }
    }) // the activations' handles are gone: autograd frees each as it goes
    scaled.backward()
    scaler.step(optimizer)
    scaler.update()
    return { loss, logits }
  })
}
