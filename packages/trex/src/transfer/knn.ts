import { TrexError } from '../errors.js'
import { checkFeatureSet, type FeatureSet } from './featureSet.js'
import { type Neighbours, nearest } from './nearest.js'

/** What the k nearest neighbours say of each query. */
export interface KnnPrediction {
  /** As asked for. */
  readonly k: number
  /** How many voted: k, or all rows of a smaller gallery. */
  readonly voters: number
  /** [queries], class numbers. */
  readonly predictions: Int32Array
}

/**
 * k-nearest-neighbour classification by cosine, for each of `ks`: every neighbour has one vote (it is not weighted by its
 * similarity, as in Wu et al. 2018), and of classes with equally many votes that of the nearest neighbour wins. A k
 * larger than the gallery is that of the gallery.
 * @throws TrexError for sets of different widths, an empty or non-finite one, and a k that is no whole number above 0.
 */
export function knn(queries: FeatureSet, gallery: FeatureSet, ks: readonly number[]): KnnPrediction[] {
  const wrong = ks.find((k) => !(Number.isSafeInteger(k) && k >= 1))
  if (ks.length === 0 || wrong !== undefined) throw new TrexError(`k is ${wrong}, not a whole number above 0`)
  for (const set of [queries, gallery]) checkFeatureSet(set, Number.POSITIVE_INFINITY)
  const n = gallery.labels.length
  const deepest = Math.min(n, Math.max(...ks))
  const neighbours = nearest(queries, gallery, deepest)
  return ks.map((k) => {
    const voters = Math.min(k, n)
    return { k, voters, predictions: vote(neighbours, deepest, voters, gallery.labels) }
  })
}

/** The class that most of the first `voters` of each query's `stride` neighbours have. */
function vote({ indices }: Neighbours, stride: number, voters: number, labels: Int32Array): Int32Array {
  return Int32Array.from({ length: indices.length / stride }, (_, query) => {
    const votes = new Map<number, number>() // in the order of their nearest neighbours
    for (let rank = 0; rank < voters; rank++) {
      const label = labels[indices[query * stride + rank]!]!
      votes.set(label, (votes.get(label) ?? 0) + 1)
    }
    const [winner] = [...votes].reduce((best, next) => (next[1] > best[1] ? next : best))
    return winner
  })
}
