import { F, noGrad, stack, type Tensor, tidy } from 'trex-torch'
import type { Sample } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import { imageTensor, labelTensor } from '../method/imageTensor.js'
import { withPrecision } from '../method/precision.js'
import type { Settings } from '../settings.js'
import { countTopK } from './accuracy.js'
import type { Learner } from './learner.js'
import type { ValidationScores } from './metrics.js'
import { type ValidationReading, validationBatches } from './reading.js'

/**
 * Top-1, top-5 (per cent) and loss of the training task, through the projector and the prototypes, in evaluation mode;
 * weighted by image. Images left out as bad do not count.
 */
export async function validate(
  { model, prototypes, precision }: Learner,
  samples: readonly Sample[],
  settings: Pick<Settings, 'validation' | 'batchSize' | 'channelsLast'>,
  reading: ValidationReading,
): Promise<ValidationScores> {
  const target = { precision, channelsLast: settings.channelsLast }
  const sums: Tensor[] = [] // [3] a batch: top-1 hits, top-5 hits, loss; on the device until the end
  let n = 0
  model.eval()
  try {
    for await (const batch of validationBatches(samples, settings, reading)) {
      sums.push(
        tidy(() =>
          noGrad(() => {
            const labels = labelTensor(batch.labels, target) // [B]
            const images = imageTensor(batch, target) // [B, 3, S, S]
            const logits = withPrecision(precision, () => prototypes.logits(model.forward(images))) // [B, C]
            const loss = F.crossEntropy(logits, labels, { reduction: 'sum' }) // []
            return stack([...countTopK(logits, labels, [1, 5]).map((count) => count.to(loss.dtype)), loss])
          }),
        ),
      )
      n += batch.size
      batch.release()
    }
    if (n === 0) throw new TrexError(`none of the ${samples.length} validation images can be read`)
    const [hits1, hits5, lossSum] = tidy(() =>
      stack(sums).to('float64').sum([0]).toTypedArray(),
    ) as Float64Array
    return { top1: (100 * hits1!) / n, top5: (100 * hits5!) / n, valLoss: lossSum! / n }
  } finally {
    model.train()
    for (const sum of sums) sum.dispose()
  }
}
