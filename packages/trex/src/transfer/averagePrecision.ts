import { TrexError } from '../errors.js'

/**
 * `all-point`: the area under the steps of precision over recall, sum_n (R_n - R_{n-1}) P_n, as scikit-learn computes
 * it. `voc2007`: the mean over recalls 0, 0.1 ... 1 of the highest precision at that recall or more (Everingham et al.
 * 2010).
 */
export type AveragePrecisionKind = 'all-point' | 'voc2007'

/** The average precision of one class in [0, 1]; equal scores are one threshold; NaN when nothing is positive. */
export function averagePrecision(
  scores: ArrayLike<number>,
  positive: ArrayLike<number>,
  kind: AveragePrecisionKind = 'all-point',
): number {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i).sort(
    (a, b) => scores[b]! - scores[a]!,
  )
  const total = order.reduce((sum, i) => sum + (positive[i] ? 1 : 0), 0)
  const curve: { recall: number; precision: number }[] = []
  let hits = 0
  for (const [rank, i] of order.entries()) {
    if (positive[i]) hits++
    const tied = rank + 1 < order.length && scores[order[rank + 1]!] === scores[i]
    if (!tied) curve.push({ recall: hits / total, precision: hits / (rank + 1) })
  }
  if (total === 0) return Number.NaN
  if (kind === 'all-point')
    return curve.reduce(
      (sum, { recall, precision }, k) => sum + (recall - (curve[k - 1]?.recall ?? 0)) * precision,
      0,
    )
  const levels = Array.from({ length: 11 }, (_, k) => k / 10)
  const highest = levels.map((level) =>
    curve.reduce((max, { recall, precision }) => (recall >= level ? Math.max(max, precision) : max), 0),
  )
  return highest.reduce((sum, precision) => sum + precision, 0) / levels.length
}

/**
 * The mean average precision in per cent of scores and targets [n, classes] over the classes that have a positive; pairs
 * of image and class where `ignored` is 1 count neither way.
 * @throws TrexError when none has, or the sizes differ.
 */
export function meanAveragePrecision(
  scores: Float32Array,
  targets: Uint8Array,
  classes: number,
  kind: AveragePrecisionKind = 'all-point',
  ignored?: Uint8Array,
): number {
  if (scores.length !== targets.length)
    throw new TrexError(`cannot score ${scores.length} predictions against ${targets.length} targets`)
  const rows = Array.from({ length: scores.length / classes }, (_, row) => row)
  const column = (values: Float32Array | Uint8Array, c: number) =>
    Float32Array.from(
      rows.filter((row) => !ignored?.[row * classes + c]),
      (row) => values[row * classes + c]!,
    )
  const precisions = Array.from({ length: classes }, (_, c) =>
    averagePrecision(column(scores, c), column(targets, c), kind),
  ).filter((precision) => !Number.isNaN(precision))
  if (precisions.length === 0) throw new TrexError('no class has a positive test image')
  return (100 * precisions.reduce((sum, precision) => sum + precision, 0)) / precisions.length
}
