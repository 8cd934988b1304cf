import { seedMean } from '../transfer/confidence.js'
import { logOdds } from '../transfer/scores.js'
import { isTransfer, PAPER_13, PAPER_15 } from './published.js'
import type { SetResult, TransferResults } from './results.js'

/** A set's scores over the seeds. */
export interface SetSummary {
  readonly name: string
  readonly metric: SetResult['metric']
  readonly probe: SetResult['probe']
  readonly seeds: number
  /** Per cent, the mean over the seeds. */
  readonly score: number
  /** Of the seeds, n - 1 in the denominator, and half the 95 % interval of the mean; null with one seed. */
  readonly deviation: number | null
  readonly confidence95: number | null
  readonly meanPerClass: number | null
  /** Of the mean score, half a test image from either end at most. */
  readonly logOdds: number
  readonly knn: number | null
  readonly classMeans: number | null
}

/** The mean log odds of several sets. */
export interface MeanScore {
  /** `13` and `15` are the paper's; `all` is whatever there is but ImageNet-1K, on which models are trained. */
  readonly over: '13' | '15' | 'all'
  readonly sets: number
  readonly meanLogOdds: number
}

/** A set's scores: accuracies are averaged over the seeds first, then turned into log odds. */
export function summarizeSet(set: SetResult): SetSummary {
  const { name, metric, probe, seeds, test, knn, classMeans } = set
  const { mean: score, deviation, confidence95 } = seedMean(seeds.map((one) => one.score))
  const perClass = seeds.flatMap(({ meanPerClass }) => (meanPerClass === null ? [] : [meanPerClass]))
  return {
    ...{ name, metric, probe, knn, classMeans, score, deviation, confidence95 },
    seeds: seeds.length,
    meanPerClass: perClass.length < seeds.length ? null : seedMean(perClass).mean,
    logOdds: logOdds(score, { n: test }),
  }
}

/** The mean log odds over the paper's sets, where all of them are there, and over all that are. */
export function meanScores(sets: readonly SetSummary[]): MeanScore[] {
  const over = (name: MeanScore['over'], wanted: readonly string[]): MeanScore[] => {
    const found = wanted.map((set) => sets.find(({ name }) => name === set))
    if (found.length === 0 || found.includes(undefined)) return []
    return [{ over: name, sets: found.length, meanLogOdds: seedMean(found.map((set) => set!.logOdds)).mean }]
  }
  const others = sets.filter(isTransfer).map(({ name }) => name)
  return [...over('13', PAPER_13), ...over('15', PAPER_15), ...over('all', others)]
}

/** What a results.json says. */
export function summarize({ sets }: TransferResults): { sets: SetSummary[]; means: MeanScore[] } {
  const summaries = sets.filter(({ seeds }) => seeds.length > 0).map(summarizeSet)
  return { sets: summaries, means: meanScores(summaries) }
}
