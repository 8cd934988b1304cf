import { describe, expect, test } from 'vitest'
import { results, setResult } from '../../test/support/transferResults.js'
import { PAPER_13, PAPER_15 } from './published.js'
import { summarize, summarizeSet } from './summary.js'

describe('scores', () => {
  test('accuracies are averaged over the seeds first, then turned into log odds', () => {
    const { score, deviation, meanPerClass, logOdds } = summarizeSet(setResult('dtd', [70, 80, 90]))
    expect([score, deviation, meanPerClass]).toEqual([80, 10, 79])
    expect(logOdds).toBeCloseTo(Math.log(4), 12)
  })

  test('a perfect score is half an image short of certainty', () => {
    expect(summarizeSet(setResult('dtd', [100])).logOdds).toBeCloseTo(Math.log(99), 12)
    expect(summarizeSet(setResult('dtd', [100])).deviation).toBeNull()
  })

  test('of a multi-label set have no accuracy per class', () => {
    const set = setResult('voc2007', [80], { metric: 'mAP', knn: null })
    const { meanPerClass } = summarizeSet({
      ...set,
      seeds: set.seeds.map((s) => ({ ...s, meanPerClass: null })),
    })
    expect(meanPerClass).toBeNull()
  })

  test("are averaged over the paper's 13 and 15 only where all are there, without ImageNet", () => {
    const sets = (names: readonly string[]) => results(names.map((name) => setResult(name, [80])))
    const odds = expect.closeTo(Math.log(4), 12)
    expect(summarize(sets(['dtd', 'in1k'])).means).toEqual([{ over: 'all', sets: 1, meanLogOdds: odds }])
    expect(summarize(sets(['in1k'])).means).toEqual([])
    expect(summarize(sets(['in1k', ...PAPER_15])).means).toEqual([
      { over: '13', sets: 13, meanLogOdds: odds },
      { over: '15', sets: 15, meanLogOdds: odds },
      { over: 'all', sets: 15, meanLogOdds: odds },
    ])
    expect(new Set(PAPER_13).size).toBe(13)
  })

  test('a set without seeds yet is left out', () => {
    expect(summarize(results([setResult('dtd', []), setResult('pets', [50])])).sets).toHaveLength(1)
  })
})
