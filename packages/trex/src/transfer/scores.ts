import { TrexError } from '../errors.js'

/** How well labels were predicted, in per cent. */
export interface Accuracy {
  readonly top1: number
  /** The mean over the classes that occur in the labels of the share of each that was recognised. */
  readonly meanPerClass: number
}

/** Compares predictions with labels. @throws TrexError for arrays of different lengths or none at all. */
export function accuracy(predictions: Int32Array, labels: Int32Array): Accuracy {
  if (predictions.length !== labels.length || labels.length === 0)
    throw new TrexError(`cannot score ${predictions.length} predictions against ${labels.length} labels`)
  const perClass = new Map<number, { hits: number; total: number }>()
  let hits = 0
  for (const [i, label] of labels.entries()) {
    const count = perClass.get(label) ?? { hits: 0, total: 0 }
    perClass.set(label, count)
    const hit = Number(predictions[i] === label)
    count.hits += hit
    count.total++
    hits += hit
  }
  const recalls = [...perClass.values()].map((count) => count.hits / count.total)
  const meanPerClass = recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length
  return { top1: (100 * hits) / labels.length, meanPerClass: 100 * meanPerClass }
}

/**
 * ln(p / (1 - p)) of an accuracy in per cent, p = accuracy / 100. It is infinite at 0 and 100 % unless the number of
 * test images `n` is given: then p is clamped to [1/(2n), 1 - 1/(2n)], half an image from either end.
 * @throws TrexError for an accuracy outside [0, 100].
 */
export function logOdds(accuracyPercent: number, { n }: { readonly n?: number } = {}): number {
  if (!(accuracyPercent >= 0 && accuracyPercent <= 100))
    throw new TrexError(`an accuracy of ${accuracyPercent} % has no log odds`)
  const margin = n === undefined ? 0 : 1 / (2 * n)
  const p = Math.min(Math.max(accuracyPercent / 100, margin), 1 - margin)
  return Math.log(p / (1 - p))
}

/**
 * The transfer score: the mean of the log odds of accuracies in per cent, one a data set (each its mean over seeds);
 * `n` gives the sets' numbers of test images for the clamp of `logOdds`.
 * @throws TrexError when there are none, or `n` has another length.
 */
export function meanLogOdds(
  accuraciesPercent: readonly number[],
  { n }: { readonly n?: readonly number[] } = {},
): number {
  if (accuraciesPercent.length === 0) throw new TrexError('there is no accuracy to average')
  if (n && n.length !== accuraciesPercent.length)
    throw new TrexError(`${accuraciesPercent.length} accuracies with ${n.length} numbers of test images`)
  const odds = accuraciesPercent.map((accuracy, i) => logOdds(accuracy, { n: n?.[i] }))
  return odds.reduce((sum, value) => sum + value, 0) / odds.length
}
