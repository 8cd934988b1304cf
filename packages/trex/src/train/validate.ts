import { F, noGrad, tidy } from 'trex-torch'
import { evalBatches } from '../data/loader/loader.js'
import type { Sample } from '../data/sources/sample.js'
import { imageTensor, labelTensor } from '../method/imageTensor.js'
import { withPrecision } from '../method/precision.js'
import type { Settings } from '../settings.js'
import { countTopK } from './accuracy.js'
import type { Learner } from './learner.js'
import type { ValidationScores } from './run.js'

/**
 * Top-1, top-5 (per cent) and loss of the training task, through the projector and the prototypes, in evaluation mode;
 * weighted by image.
 */
export async function validate(
  { model, prototypes, precision }: Learner,
  samples: readonly Sample[],
  { validation, batchSize, channelsLast }: Pick<Settings, 'validation' | 'batchSize' | 'channelsLast'>,
  workers: number,
): Promise<ValidationScores> {
  const target = { precision, channelsLast }
  const { resize, crop } = validation
  let [hits1, hits5, lossSum] = [0, 0, 0]
  model.eval()
  try {
    for await (const batch of evalBatches(samples, {
      resize,
      crop,
      filter: 'bilinear',
      batchSize,
      workers,
    })) {
      const size = batch.labels.length
      const [top1, top5, loss] = tidy(() =>
        noGrad(() => {
          const labels = labelTensor(batch.labels, target) // [B]
          const images = imageTensor(batch.images, size, target) // [B, 3, S, S]
          const logits = withPrecision(precision, () => prototypes.logits(model.forward(images))) // [B, C]
          const counts = countTopK(logits, labels, [1, 5]).map((count) => count.item())
          return [...counts, F.crossEntropy(logits, labels, { reduction: 'sum' }).item()] as [
            number,
            number,
            number,
          ]
        }),
      )
      hits1 += top1
      hits5 += top5
      lossSum += loss
      batch.release()
    }
  } finally {
    model.train()
  }
  const n = samples.length
  return { top1: (100 * hits1) / n, top5: (100 * hits5) / n, valLoss: lossSum / n }
}
