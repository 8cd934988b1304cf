import type { Batch } from '../data/loader/loader.js'
import { type ImageTarget, imageTensor, labelTensor } from '../method/imageTensor.js'
import type { StepInput } from './stepInput.js'

/** A batch of the loader as what a training step takes. */
export function stepInput(batch: Batch, counts: readonly number[], target: ImageTarget): StepInput {
  const { crops, normalization } = batch
  return {
    crops: crops.map((images, group) =>
      imageTensor({ images, size: counts[group]! * batch.size, normalization }, target),
    ),
    labels: labelTensor(batch.labels, target),
  }
}
