import { TrexError } from '../errors.js'

/** Features of a data set with their class numbers. */
export interface FeatureSet {
  /** [n, dim], row-major. */
  readonly features: Float32Array
  readonly dim: number
  /** [n], class numbers from 0. */
  readonly labels: Int32Array
}

/** What is done to each feature vector before a linear probe: nothing, or division by its length. */
export type FeatureNormalization = 'none' | 'l2'

/**
 * Refuses a set that no probe can use.
 * @throws TrexError for arrays that do not fit together, labels outside [0, classes) and non-finite features.
 */
export function checkFeatureSet({ features, dim, labels }: FeatureSet, classes: number): void {
  const label = labels.find((label) => label < 0 || label >= classes)
  checkFeatures({ features, dim }, labels.length)
  if (label !== undefined) throw new TrexError(`label ${label} is not among ${classes} classes`)
}

/** Refuses features that are not finite, or not those of `n` rows. @throws TrexError */
export function checkFeatures({ features, dim }: Pick<FeatureSet, 'features' | 'dim'>, n: number): void {
  if (n === 0) throw new TrexError('the feature set is empty')
  if (features.length !== n * dim)
    throw new TrexError(`${n} labels of width ${dim} need ${n * dim} features, got ${features.length}`)
  const bad = features.findIndex((value) => !Number.isFinite(value))
  if (bad !== -1)
    throw new TrexError(`feature ${bad % dim} of row ${Math.floor(bad / dim)} is ${features[bad]}`, {
      hint: 'the encoder has diverged, or the checkpoint is damaged: extract the features again',
    })
}

/** The set with every row divided by max(its length, 1e-12), or the set itself for 'none'. */
export function normalizeFeatures<Set extends Pick<FeatureSet, 'features' | 'dim'>>(
  set: Set,
  normalization: FeatureNormalization,
): Set {
  if (normalization === 'none') return set
  const { dim } = set
  const features = new Float32Array(set.features.length)
  for (let row = 0; row < features.length; row += dim) {
    let squares = 0
    for (let i = row; i < row + dim; i++) squares += set.features[i]! ** 2
    const length = Math.max(Math.sqrt(squares), 1e-12)
    for (let i = row; i < row + dim; i++) features[i] = set.features[i]! / length
  }
  return { ...set, features }
}

/** The rows of a set at `indices`, copied. */
export function selectRows({ features, dim, labels }: FeatureSet, indices: Uint32Array): FeatureSet {
  const selected = new Float32Array(indices.length * dim)
  for (const [row, i] of indices.entries()) selected.set(features.subarray(i * dim, (i + 1) * dim), row * dim)
  return { features: selected, dim, labels: Int32Array.from(indices, (i) => labels[i]!) }
}
