import { F, noGrad, tidy } from 'trex-torch'
import { evalBatches, type ReadOptions } from '../data/loader/loader.js'
import type { Sample } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import { imageTensor, labelTensor } from '../method/imageTensor.js'
import { withPrecision } from '../method/precision.js'
import type { Settings } from '../settings.js'
import { countTopK } from './accuracy.js'
import type { Learner } from './learner.js'
import type { ValidationScores } from './run.js'

/** What validation reads images with. */
export type ValidationReading = Pick<ReadOptions, 'pool' | 'bad' | 'stream'>

/**
 * Top-1, top-5 (per cent) and loss of the training task, through the projector and the prototypes, in evaluation mode;
 * weighted by image. Images left out as bad do not count.
 */
export async function validate(
  { model, prototypes, precision }: Learner,
  samples: readonly Sample[],
  { validation, batchSize, channelsLast }: Pick<Settings, 'validation' | 'batchSize' | 'channelsLast'>,
  reading: ValidationReading,
): Promise<ValidationScores> {
  const target = { precision, channelsLast }
  const { resize, crop } = validation
  let [n, hits1, hits5, lossSum] = [0, 0, 0, 0]
  model.eval()
  try {
    for await (const batch of evalBatches(samples, {
      resize,
      crop,
      filter: 'bilinear',
      batchSize,
      ...reading,
    })) {
      const [top1, top5, loss] = tidy(() =>
        noGrad(() => {
          const labels = labelTensor(batch.labels, target) // [B]
          const images = imageTensor(batch.images, batch.size, target) // [B, 3, S, S]
          const logits = withPrecision(precision, () => prototypes.logits(model.forward(images))) // [B, C]
          const counts = countTopK(logits, labels, [1, 5]).map((count) => count.item())
          return [...counts, F.crossEntropy(logits, labels, { reduction: 'sum' }).item()] as [
            number,
            number,
            number,
          ]
        }),
      )
      n += batch.size
      hits1 += top1
      hits5 += top5
      lossSum += loss
      batch.release()
    }
  } finally {
    model.train()
  }
  if (n === 0) throw new TrexError(`none of the ${samples.length} validation images can be read`)
  return { top1: (100 * hits1) / n, top5: (100 * hits5) / n, valLoss: lossSum / n }
}
