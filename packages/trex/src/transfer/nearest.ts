import { fromTypedArray, noGrad, tidy } from 'trex-torch'
import { TrexError } from '../errors.js'
import { type FeatureSet, normalizeFeatures } from './featureSet.js'

/** The k nearest gallery rows of each query, best first. */
export interface Neighbours {
  /** [queries, k], rows of the gallery. */
  readonly indices: Int32Array
  /** [queries, k], cosines. */
  readonly similarities: Float32Array
}

/**
 * The `k` gallery rows with the highest cosine to each query; a query that is in the gallery finds itself first.
 * @throws TrexError for different widths, or fewer than `k` rows in the gallery.
 */
export function nearest(queries: FeatureSet, gallery: FeatureSet, k: number): Neighbours {
  const { dim } = gallery
  const [q, n] = [queries.labels.length, gallery.labels.length]
  if (queries.dim !== dim) throw new TrexError(`queries have ${queries.dim} features, the gallery has ${dim}`)
  if (!(Number.isInteger(k) && k >= 1 && k <= n))
    throw new TrexError(`k is ${k}, but the gallery has ${n} rows`)
  return tidy(() =>
    noGrad(() => {
      const a = fromTypedArray(normalizeFeatures(queries, 'l2').features, [q, dim])
      const b = fromTypedArray(normalizeFeatures(gallery, 'l2').features, [n, dim])
      const [similarities, indices] = a.matmul(b.t()).topk(k, 1) // [q, k] each
      return {
        indices: indices.to('int32').toTypedArray() as Int32Array,
        similarities: similarities.toFloat32Array(),
      }
    }),
  )
}
