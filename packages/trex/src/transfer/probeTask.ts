import type { Device, Tensor } from 'trex-torch'
import type { RowSplit } from '../data/sources/split.js'
import { TrexError } from '../errors.js'
import { rngFor } from '../rng.js'
import { type AveragePrecisionKind, meanAveragePrecision } from './averagePrecision.js'
import { checkFeatureSet, checkFeatures, type FeatureSet } from './featureSet.js'
import { type LogitLoss, sigmoidLoss, softmaxLoss } from './logitLoss.js'
import { accuracy } from './scores.js'
import { validationSplit } from './validationSplit.js'

/** Features of a data set whose images show any number of classes. */
export interface MultiLabelSet {
  /** [n, dim], row-major. */
  readonly features: Float32Array
  readonly dim: number
  /** [n, classes], 1 where the class is present, else 0. */
  readonly targets: Uint8Array
  readonly classes: number
  /** [n, classes], 1 where a pair of image and class counts neither way in scores, as VOC's difficult objects. */
  readonly ignored?: Uint8Array
}

/** Scores in per cent. */
export interface TaskScore {
  /** Top-1, or mean average precision of several labels. */
  readonly score: number
  /** Null of several labels. */
  readonly meanPerClass: number | null
}

/** What a probe has to tell of one set's rows. */
export interface ProbeTask {
  readonly rows: number
  readonly classes: number
  /** Of the rows given, or of all. */
  loss(device: Device, rows?: Uint32Array): LogitLoss
  /** Of logits [m, C] of the rows given, or of all. */
  score(logits: Tensor, rows?: Uint32Array): TaskScore
  split(seed: number, options: { original: boolean }): RowSplit
}

/** One label a row. @throws TrexError for features or labels that no probe can use. */
export function singleLabel({ features, dim, labels }: FeatureSet, classes: number): ProbeTask {
  checkFeatureSet({ features, dim, labels }, classes)
  const at = (rows?: Uint32Array) => (rows ? Int32Array.from(rows, (row) => labels[row]!) : labels)
  return {
    rows: labels.length,
    classes,
    loss: (device, rows) => softmaxLoss(at(rows), device),
    score: (logits, rows) => {
      const { top1, meanPerClass } = accuracy(
        logits.argmax(1).to('int32').toTypedArray() as Int32Array,
        at(rows),
      )
      return { score: top1, meanPerClass }
    },
    split: (seed, options) => validationSplit(labels, seed, options),
  }
}

/** Several labels a row, each told by itself. @throws TrexError for features or targets that no probe can use. */
export function multiLabel(
  { features, dim, targets, classes, ignored }: MultiLabelSet,
  kind: AveragePrecisionKind = 'all-point',
): ProbeTask {
  const n = targets.length / classes
  if (!Number.isInteger(n))
    throw new TrexError(`${targets.length} targets do not divide into rows of ${classes} classes`)
  checkFeatures({ features, dim }, n)
  const at = (values: Uint8Array, rows?: Uint32Array) => {
    if (!rows) return values
    const chosen = new Uint8Array(rows.length * classes)
    for (const [i, row] of rows.entries())
      chosen.set(values.subarray(row * classes, (row + 1) * classes), i * classes)
    return chosen
  }
  return {
    rows: n,
    classes,
    loss: (device, rows) => sigmoidLoss(at(targets, rows), classes, device),
    score: (logits, rows) => ({
      score: meanAveragePrecision(
        logits.toFloat32Array(),
        at(targets, rows),
        classes,
        kind,
        ignored && at(ignored, rows),
      ),
      meanPerClass: null,
    }),
    split: (seed) => {
      const order = rngFor(seed, 1).permutation(n)
      const held = Math.max(1, Math.floor(0.2 * n))
      if (n < 2) throw new TrexError('a set of one image cannot be split for validation')
      return { train: order.slice(held).sort(), val: order.slice(0, held).sort() }
    },
  }
}
