import { isDeepStrictEqual } from 'node:util'
import { TrexError } from '../errors.js'
import { seedMean } from '../transfer/confidence.js'
import type { Grid } from './grid.js'
import { isTransfer } from './published.js'
import type { SetResult, TransferResults } from './results.js'
import { percent, signed } from './resultsGrid.js'
import { summarizeSet } from './summary.js'

/** One set of two models: the second less the first. */
export interface SetDifference {
  readonly name: string
  /** Per cent of each, over the seeds that both have. */
  readonly scores: readonly [number, number]
  /** Points; the mean over the seeds, which both models share. */
  readonly difference: number
  /** Of the differences, a seed each; null with one seed. */
  readonly deviation: number | null
  readonly seeds: number
  readonly logOdds: number
}

/** Two models on the sets that both were evaluated on. */
export interface Comparison {
  readonly models: readonly [string, string]
  readonly sets: readonly SetDifference[]
  /** Sets that only one of them was evaluated on. */
  readonly unpaired: readonly string[]
  /** Sets that are averaged over: all but ImageNet-1K, on which models are trained. */
  readonly transferSets: number
  /** Of the log odds: the mean over those; null where there are none. */
  readonly meanLogOdds: number | null
  /** Standard error of that mean, over the sets; null of one set. */
  readonly standardError: number | null
  /** On how many of those the second is better, equal and worse. */
  readonly wins: readonly [better: number, equal: number, worse: number]
  /** Settings of the evaluation that are not the same, so that differences are not the models' alone. */
  readonly differing: readonly string[]
}

/** Settings that a model may have of its own: how its images are prepared. */
const OF_MODEL = ['size', 'normalization', 'autoOrient']

/**
 * Compares a model with another, set by set and seed by seed: a seed is the same validation split and the same search in
 * both, so that differences are paired.
 * @throws TrexError when no set and seed is in both, or a set has other images in one of them.
 */
export function compareResults(first: TransferResults, second: TransferResults): Comparison {
  const only = [
    ...first.sets.filter(({ name }) => !second.sets.some((set) => set.name === name)),
    ...second.sets.filter(({ name }) => !first.sets.some((set) => set.name === name)),
  ]
  const sets = first.sets.flatMap((a) => {
    const b = second.sets.find(({ name }) => name === a.name)
    return b ? setDifference(a, b) : []
  })
  const models = [first.model.name, second.model.name] as const
  if (sets.length === 0)
    throw new TrexError(`${models[0]} and ${models[1]} have no set and seed in common`, {
      hint: 'evaluate both on the same sets with the same --seeds',
    })
  const transfer = sets.filter(isTransfer)
  const odds = transfer.length > 0 ? seedMean(transfer.map(({ logOdds }) => logOdds)) : null
  const count = (test: (difference: number) => boolean) =>
    transfer.filter(({ difference }) => test(difference)).length
  return {
    models,
    sets,
    unpaired: only.map(({ name }) => name),
    transferSets: transfer.length,
    meanLogOdds: odds?.mean ?? null,
    standardError: odds && odds.deviation !== null ? odds.deviation / Math.sqrt(transfer.length) : null,
    wins: [count((d) => d > 0), count((d) => d === 0), count((d) => d < 0)],
    differing: [...new Set([first, second].flatMap(({ settings }) => Object.keys(settings)))].filter(
      (key) => !OF_MODEL.includes(key) && !isDeepStrictEqual(first.settings[key], second.settings[key]),
    ),
  }
}

function setDifference(a: SetResult, b: SetResult): SetDifference[] {
  if (a.fingerprint !== b.fingerprint)
    throw new TrexError(`${a.name} is not the same data in both results`, {
      hint: 'evaluate both models on the same images',
    })
  const seeds = a.seeds.map(({ seed }) => seed).filter((seed) => b.seeds.some((other) => other.seed === seed))
  if (seeds.length === 0) return []
  const shared = (set: SetResult) => ({
    ...set,
    seeds: seeds.map((seed) => set.seeds.find((s) => s.seed === seed)!),
  })
  const [first, second] = [shared(a), shared(b)]
  const difference = seedMean(second.seeds.map(({ score }, i) => score - first.seeds[i]!.score))
  const [one, other] = [summarizeSet(first), summarizeSet(second)]
  return [
    {
      name: a.name,
      scores: [one.score, other.score],
      difference: difference.mean,
      deviation: difference.deviation,
      seeds: seeds.length,
      logOdds: other.logOdds - one.logOdds,
    },
  ]
}

/** A comparison as a grid. */
export function comparisonGrid({ models, sets, transferSets, meanLogOdds, standardError }: Comparison): Grid {
  const error = standardError === null ? '' : ` ± ${standardError.toFixed(4)}`
  return {
    head: ['', models[0], models[1], 'difference', 'log odds'],
    groups: [
      sets.map(({ name, scores, difference, deviation, logOdds }) => [
        name,
        percent(scores[0]),
        percent(scores[1]),
        signed(difference, 2) + (deviation === null ? '' : ` ± ${deviation.toFixed(2)}`),
        signed(logOdds),
      ]),
      ...(meanLogOdds === null
        ? []
        : [[[`mean of ${transferSets}`, '', '', '', signed(meanLogOdds) + error]]]),
    ],
  }
}
