import { join } from 'node:path'
import { engineInfo, tidy } from 'trex-torch'
import type { Normalization } from '../data/pixels/normalize.js'
import { type FeatureNet, featureNet } from '../method/featureNet.js'
import { imageTensor } from '../method/imageTensor.js'
import type { OpenEncoder } from '../train/openEncoder.js'
import {
  type ComputeOptions,
  type ExtractedFeatures,
  type ExtractionProgress,
  type FeatureComputer,
  featuresToFile,
  type ImagePart,
} from './computeFeatures.js'
import { dataFingerprint, type FeatureIdentity, identityKey } from './identity.js'

/** How features are extracted. */
export interface ExtractionOptions extends ComputeOptions {
  /** Side of the encoder's images: the shortest side is resized to it (bicubic, antialiased), the middle is taken. */
  readonly size: number
  /** As those of `pool`, that is of `openDataWorkers`. */
  readonly normalization: Normalization
  readonly autoOrient: boolean
}

const PRECISIONS = { bfloat16: 'bf16', float16: 'fp16' } as const

/** What decides the features of a part, see `FeatureIdentity`. */
export function identityOf(
  opened: OpenEncoder,
  { samples, classes, root }: ImagePart,
  { size, normalization, autoOrient }: Pick<ExtractionOptions, 'size' | 'normalization' | 'autoOrient'>,
): FeatureIdentity {
  const { dtype } = opened.precision
  const { mean, std } = normalization
  return {
    model: opened.fingerprint,
    data: dataFingerprint(root, samples, classes),
    transform: {
      ...{ resize: size, crop: size, filter: 'bicubic' },
      ...{ mean: [...mean], std: [...std], autoOrient },
    },
    precision: dtype === null ? 'fp32' : PRECISIONS[dtype],
  }
}

/** Extracts the features of a part into a feature file, as `featuresToFile` does. */
export async function* extractToFile(
  file: string,
  opened: OpenEncoder,
  part: ImagePart,
  options: ExtractionOptions,
): AsyncGenerator<ExtractionProgress, ExtractedFeatures, void> {
  const identity = identityOf(opened, part, options)
  using computer = computerOf(opened)
  return yield* featuresToFile(file, identity, part, computer, options)
}

/**
 * As `extractToFile`, into a folder of features of any models and data sets, by what decides them: what is there is not
 * extracted again.
 */
export async function* extractCached(
  cache: string,
  opened: OpenEncoder,
  part: ImagePart,
  options: ExtractionOptions,
): AsyncGenerator<ExtractionProgress, ExtractedFeatures, void> {
  const key = identityKey(identityOf(opened, part, options))
  return yield* extractToFile(join(cache, `${key}.safetensors`), opened, part, options)
}

/** What computes the features of an encoder; disposing it releases copies of weights, not the encoder. */
function computerOf({ encoder, precision, describe }: OpenEncoder): FeatureComputer & Disposable {
  let net: FeatureNet | undefined
  return {
    dim: encoder.featureDim,
    encoder: describe,
    computed: `libtorch ${engineInfo().version}, ${precision.device}`,
    rows(batch) {
      const { forward } = (net ??= featureNet(encoder, precision))
      return tidy(() => forward(imageTensor(batch, { precision, channelsLast: true })).toFloat32Array()) // [B, D]
    },
    [Symbol.dispose]: () => net?.[Symbol.dispose](),
  }
}
