import type { Device } from 'trex-torch'
import { splitRows } from '../data/sources/split.js'
import { TrexError } from '../errors.js'
import {
  checkFeatureSet,
  type FeatureNormalization,
  type FeatureSet,
  normalizeFeatures,
  selectRows,
} from './featureSet.js'
import { type LinearClassifier, predict } from './linearClassifier.js'
import { logisticProblem } from './logisticRegression.js'
import { accuracy } from './scores.js'

/** Settings of `probe`. */
export interface ProbeOptions {
  /** Decides the validation split. */
  readonly seed: number
  /** How many values of C are tried (default 12). */
  readonly trials?: number
  /** The smallest and the largest C tried (default [1e-5, 1e6]). */
  readonly cRange?: readonly [number, number]
  readonly normalization?: FeatureNormalization
  /** Of the matrix products (default float32). */
  readonly dtype?: 'float64' | 'float32'
  readonly device?: Device
  /** Of each fit, as in `logisticProblem` (default 1e-5). */
  readonly tolerance?: number
}

/** One value of C and its accuracy on the validation split. */
export interface ProbeTrial {
  readonly C: number
  /** Per cent. */
  readonly top1: number
  readonly converged: boolean
}

/** Test accuracies (per cent) of the linear probe with the best C. */
export interface ProbeResult {
  readonly top1: number
  readonly meanPerClass: number
  readonly C: number
  readonly trials: readonly ProbeTrial[]
}

/**
 * A tuned linear probe: logistic regression on the features of `trainval` whose C is chosen on a validation split (20 %
 * of each class), refitted on all of `trainval` and scored once on `test`. C is chosen from a short log-spaced grid, of
 * equally good values the smallest; `searchLbfgsProbe` searches as the paper does.
 * @throws TrexError for sets of different widths, and when no class has two images to split.
 */
export function probe(trainval: FeatureSet, test: FeatureSet, options: ProbeOptions): ProbeResult {
  const { seed, trials = 12, cRange = [1e-5, 1e6], normalization = 'none', dtype = 'float32' } = options
  const { device, tolerance = 1e-5 } = options
  if (trainval.dim !== test.dim)
    throw new TrexError(`trainval has ${trainval.dim} features, test has ${test.dim}`)
  const classes = 1 + [...trainval.labels, ...test.labels].reduce((max, label) => Math.max(max, label), 0)
  checkFeatureSet(test, classes)
  const all = normalizeFeatures(trainval, normalization)
  const { train, val } = splitRows(all.labels, { fraction: 0.2, seed, stream: 1 })
  if (val.length === 0)
    throw new TrexError('no class has two training images, so C cannot be chosen', {
      hint: 'a linear probe needs at least two images of some class',
    })

  const tuned: (ProbeTrial & { classifier: LinearClassifier })[] = []
  const held = selectRows(all, val)
  {
    using problem = logisticProblem(selectRows(all, train), classes, { dtype, device })
    for (const C of logSpaced(cRange, trials)) {
      const classifier = problem.fit({ C, start: tuned.at(-1)?.classifier, tolerance })
      const { top1 } = accuracy(predict(classifier, held.features), held.labels)
      tuned.push({ C, top1, converged: classifier.converged, classifier })
    }
  }
  const best = tuned.reduce((a, b) => (b.top1 > a.top1 ? b : a))
  using problem = logisticProblem(all, classes, { dtype, device })
  const final = problem.fit({ C: best.C, start: best.classifier, tolerance })
  const scores = accuracy(predict(final, normalizeFeatures(test, normalization).features), test.labels)
  return { ...scores, C: best.C, trials: tuned.map(({ C, top1, converged }) => ({ C, top1, converged })) }
}

/** `count` values from one end of the range to the other, in equal ratios. */
function logSpaced([from, to]: readonly [number, number], count: number): number[] {
  if (!(from > 0 && to >= from && Number.isInteger(count) && count >= 1))
    throw new TrexError(`cannot try ${count} values of C in [${from}, ${to}]`)
  if (count === 1) return [Math.sqrt(from * to)]
  return Array.from({ length: count }, (_, i) => from * (to / from) ** (i / (count - 1)))
}
