import type { Batch } from '../data/loader/loader.js'
import { type ImageTarget, imageTensor, labelTensor } from '../method/imageTensor.js'
import type { StepInput } from './stepInput.js'

/** A batch of the loader as what a training step takes. */
export function stepInput(batch: Batch, counts: readonly number[], target: ImageTarget): StepInput {
  return {
    crops: batch.crops.map((values, group) => imageTensor(values, counts[group]! * batch.size, target)),
    labels: labelTensor(batch.labels, target),
  }
}
