import { noGrad, tidy } from 'trex-torch'
import { evalBatches } from '../data/loader/loader.js'
import type { EvalTransform } from '../data/pixels/evalTransform.js'
import type { Sample } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import type { Encoder } from '../method/encoder.js'
import { imageTensor, pixelsFor } from '../method/imageTensor.js'
import { type Precision, withPrecision } from '../method/precision.js'
import type { FeatureSet } from './featureSet.js'

export type { FeatureSet } from './featureSet.js'

/** Settings of `extractFeatures`. */
export interface ExtractOptions {
  /** TRANSFER_TRANSFORM of the data module is the paper's. */
  readonly transform: EvalTransform
  readonly batchSize: number
  /** Threads that decode; 0 does it in this one. */
  readonly workers: number
  readonly precision: Precision
  readonly channelsLast: boolean
}

/**
 * The encoder's features of all samples, in their order, in evaluation mode and without gradients; the encoder's mode is
 * restored. Rejects with DecodeError at a bad image, with TrexError when there are no samples.
 */
export async function extractFeatures(
  encoder: Encoder,
  samples: readonly Sample[],
  { transform, batchSize, workers, precision, channelsLast }: ExtractOptions,
): Promise<FeatureSet> {
  if (samples.length === 0) throw new TrexError('there are no images to extract features of')
  const dim = encoder.featureDim
  const features = new Float32Array(samples.length * dim)
  let row = 0
  const modes = [...encoder.namedModules()].map(([, module]) => ({ module, training: module.training }))
  encoder.eval()
  try {
    const pixels = pixelsFor(precision.device)
    for await (const batch of evalBatches(samples, { ...transform, batchSize, workers, pixels })) {
      const rows = tidy(() =>
        noGrad(() => {
          const x = imageTensor(batch, { precision, channelsLast }) // [B, 3, S, S]
          return withPrecision(precision, () => encoder.forward(x)).toFloat32Array() // [B, D]
        }),
      )
      features.set(rows, row * dim)
      row += batch.size
      batch.release()
    }
  } finally {
    for (const { module, training } of modes) module.training = training
  }
  return { features, dim, labels: Int32Array.from(samples, ({ label }) => label) }
}
