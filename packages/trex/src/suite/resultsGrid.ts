import type { Grid } from './grid.js'
import { PUBLISHED } from './published.js'
import type { TransferResults } from './results.js'
import { type MeanScore, type SetSummary, summarize } from './summary.js'

/** The results of a model as a grid: a row a set, the means, and the published figures to compare with. */
export function resultsGrid(results: TransferResults): Grid {
  const { sets, means } = summarize(results)
  const head = ['', 'top-1', 'per class', 'log odds', 'k-NN', 'NCM']
  const blank = (name: string, logOdds: string) => [name, '', '', logOdds, '', '']
  return {
    head,
    groups: [
      sets.map((set) => [
        set.metric === 'mAP' ? `${set.name} (mAP)` : set.name,
        withDeviation(set),
        percent(set.meanPerClass),
        signed(set.logOdds),
        percent(set.knn),
        percent(set.classMeans),
      ]),
      means.map((score) => blank(meanName(score), signed(score.meanLogOdds))),
      PUBLISHED.map(({ name, in1k, meanLogOdds15 }) => [
        `${name}: ImageNet-1K, mean of 15`,
        ...[percent(in1k), '', signed(meanLogOdds15), '', ''],
      ]),
    ].filter((rows) => rows.length > 0),
  }
}

/** What tables call a mean score. */
export function meanName({ over, sets }: Pick<MeanScore, 'over' | 'sets'>): string {
  return over === 'all' ? `mean of these ${sets}` : `mean of the paper's ${sets}`
}

const withDeviation = ({ score, deviation }: SetSummary) =>
  deviation === null ? percent(score) : `${percent(score)} ± ${deviation.toFixed(2)}`

/** A share in per cent, or a dash where there is none. */
export const percent = (value: number | null) => (value === null ? '–' : value.toFixed(2))

/** A number with its sign. */
export const signed = (value: number, digits = 4) =>
  `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`
