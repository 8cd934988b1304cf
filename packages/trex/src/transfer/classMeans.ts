import { TrexError } from '../errors.js'
import { checkFeatureSet, type FeatureSet, normalizeFeatures } from './featureSet.js'
import { nearest } from './nearest.js'

/**
 * The mean of each class's l2-normalised features, as a set with a row for each class that occurs, lowest class first.
 * @throws TrexError for an empty or non-finite set.
 */
export function classMeans(set: FeatureSet): FeatureSet {
  checkFeatureSet(set, Number.POSITIVE_INFINITY)
  const { dim, labels } = set
  const { features } = normalizeFeatures(set, 'l2')
  const present = [...new Set(labels)].sort((a, b) => a - b)
  const rowOf = new Map(present.map((label, row) => [label, row]))
  const sums = new Float64Array(present.length * dim)
  const counts = new Uint32Array(present.length)
  for (const [i, label] of labels.entries()) {
    const row = rowOf.get(label)!
    counts[row]!++
    for (let d = 0; d < dim; d++) sums[row * dim + d]! += features[i * dim + d]!
  }
  const means = Float32Array.from(sums, (sum, at) => sum / counts[Math.floor(at / dim)]!)
  return { features: means, dim, labels: Int32Array.from(present) }
}

/**
 * Nearest class means: the class [queries] whose mean of l2-normalised features has the highest cosine to each query; of
 * equal ones the lowest class.
 * @throws TrexError for sets of different widths, an empty or non-finite one.
 */
export function nearestClassMeans(queries: FeatureSet, gallery: FeatureSet): Int32Array {
  checkFeatureSet(queries, Number.POSITIVE_INFINITY)
  if (queries.dim !== gallery.dim)
    throw new TrexError(`queries have ${queries.dim} features, the gallery has ${gallery.dim}`)
  const means = classMeans(gallery)
  return nearest(queries, means, 1).indices.map((row) => means.labels[row]!)
}
