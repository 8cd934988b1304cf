import { F, noGrad, tidy } from 'trex-torch'
import { printable } from '../data/check/printable.js'
import type { Sample } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import type { Encoder } from '../method/encoder.js'
import { imageTensor, labelTensor } from '../method/imageTensor.js'
import { type Precision, withPrecision } from '../method/precision.js'
import type { Settings } from '../settings.js'
import type { Learner } from '../train/learner.js'
import { type ValidationReading, validationBatches } from '../train/reading.js'
import type { FeatureSet } from '../transfer/featureSet.js'
import { addConfusions, type Confusion, emptyConfusion } from './confusion.js'

/** What is evaluated: an encoder, and perhaps what it was trained with. */
export interface EvaluatedModel {
  readonly encoder: Encoder
  readonly precision: Precision
  /** The projector and the prototypes with the names of their classes. */
  readonly classifier:
    | (Pick<Learner, 'model' | 'prototypes'> & { readonly classes: readonly string[] })
    | null
}

/** What is asked of a part of the data. */
export interface Wanted {
  readonly features: boolean
  /** The class of the model for each label of the data; null: no classification. */
  readonly classOf: readonly number[] | null
}

/** What the model made of a part of the data. */
export interface PartResult {
  /** Images that could be read. */
  readonly images: number
  readonly features: FeatureSet | null
  readonly classified: Classified | null
}

/** Predictions of the model's own classes, counted. */
export interface Classified {
  readonly confusion: Confusion
  readonly hits5: number
  /** Nats, over all images. */
  readonly lossSum: number
}

/**
 * One pass over samples in evaluation mode, yielding the number of images of each batch. Predictions and losses are
 * computed as `validate` of the training computes them, batch by batch, so that they agree with it to the last digit.
 */
export async function* readImages(
  { encoder, precision, classifier }: EvaluatedModel,
  samples: readonly Sample[],
  { features: wantsFeatures, classOf }: Wanted,
  settings: Pick<Settings, 'validation' | 'batchSize' | 'channelsLast'>,
  reading: ValidationReading,
): AsyncGenerator<number, PartResult> {
  const target = { precision, channelsLast: settings.channelsLast }
  const dim = encoder.featureDim
  const features = new Float32Array(wantsFeatures ? samples.length * dim : 0)
  const labels = new Int32Array(samples.length)
  const confusion = emptyConfusion(classifier?.classes ?? [])
  let [n, hits5, lossSum] = [0, 0, 0]
  ;(classifier?.model ?? encoder).eval()
  for await (const batch of validationBatches(samples, settings, reading)) {
    const { size } = batch
    const own = Int32Array.from(batch.labels, Number)
    labels.set(own, n)
    tidy(() =>
      noGrad(() => {
        const images = imageTensor(batch, target) // [B, 3, S, S]
        const [f, logits] = withPrecision(precision, () => {
          const f = encoder.forward(images) // [B, F]
          if (!classifier || !classOf) return [f, null] as const
          const { projector } = classifier.model
          return [f, classifier.prototypes.logits(projector ? projector.forward(f) : f)] as const // [B, C]
        })
        if (wantsFeatures) features.set(f.toFloat32Array(), n * dim)
        if (!logits || !classOf) return
        const known = own.map((label) => classOf[label]!)
        const targets = labelTensor(BigInt64Array.from(known, BigInt), target) // [B]
        const loss = F.crossEntropy(logits, targets, { reduction: 'sum' }).item()
        if (!Number.isFinite(loss)) throw notFinite(loss, samples[batch.indices[0]!]!.path)
        lossSum += loss
        const depth = Math.min(5, logits.size(1))
        const best = logits.topk(depth, 1)[1].to('int32').toTypedArray() as Int32Array // [B, 5]
        addConfusions(
          confusion,
          known,
          known.map((_, i) => best[i * depth]!),
        )
        hits5 += known.filter((label, i) => best.subarray(i * depth, (i + 1) * depth).includes(label)).length
      }),
    )
    n += size
    batch.release()
    yield size
  }
  return {
    images: n,
    features: wantsFeatures
      ? { features: features.subarray(0, n * dim), dim, labels: labels.subarray(0, n) }
      : null,
    classified: classOf ? { confusion, hits5, lossSum } : null,
  }
}

function notFinite(loss: number, path: string): TrexError {
  return new TrexError(`the loss is ${loss} in the batch of ${printable(path)}`, {
    hint: 'the weights or the numbers of half precision are out of bounds: try another --checkpoint, or --precision fp32',
  })
}
