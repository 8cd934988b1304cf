import { expect, test } from 'vitest'
import { results, setResult } from '../../test/support/transferResults.js'
import { compareResults, comparisonGrid } from './compare.js'
import { formatGrid, GRID_FORMATS } from './grid.js'
import { resultsGrid } from './resultsGrid.js'

const weak = results(
  [setResult('dtd', [70, 72]), setResult('pets', [80, 80]), setResult('cars196', [50])],
  'weak',
)
const strong = results([setResult('dtd', [75, 73]), setResult('pets', [80, 80])], 'strong_1')

test('differences are paired by set and seed', () => {
  const { sets, meanLogOdds, standardError, wins } = compareResults(weak, strong)
  expect(sets.map(({ name, difference, deviation }) => [name, difference, deviation])).toEqual([
    ['dtd', 3, expect.closeTo(Math.sqrt(8), 12)],
    ['pets', 0, 0],
  ])
  const odds = Math.log(74 / 26) - Math.log(71 / 29)
  expect(sets[0]!.logOdds).toBeCloseTo(odds, 12)
  expect(meanLogOdds).toBeCloseTo(odds / 2, 12)
  expect(standardError).toBeCloseTo(odds / 2, 12) // |odds| / sqrt(2) / sqrt(2)
  expect(wins).toEqual([1, 1, 0])
})

test('settings of the evaluation that differ are named, the preparation of images is not', () => {
  const other = { ...strong, settings: { trials: 12, size: 448, compat: true } }
  expect(compareResults({ ...weak, settings: { trials: 30, size: 224 } }, other).differing).toEqual([
    'trials',
    'compat',
  ])
  expect(compareResults(weak, strong).differing).toEqual([])
})

test('ImageNet-1K, on which models are trained, is shown and not counted', () => {
  const [a, b] = [weak, strong].map((one) => ({ ...one, sets: [...one.sets, setResult('in1k', [60, 61])] }))
  const worse = { ...b!, sets: b!.sets.with(-1, setResult('in1k', [10, 11])) }
  const { sets, meanLogOdds, wins, transferSets, unpaired } = compareResults(a!, worse)
  expect(sets.map(({ name }) => name)).toEqual(['dtd', 'pets', 'in1k'])
  expect([meanLogOdds, wins, transferSets]).toEqual([compareResults(weak, strong).meanLogOdds, [1, 1, 0], 2])
  expect(unpaired).toEqual(['cars196'])
})

test('only seeds of both count', () => {
  const one = results([setResult('dtd', [70])], 'one')
  expect(compareResults(one, strong).sets[0]).toMatchObject({ scores: [70, 75], seeds: 1, deviation: null })
})

test('nothing in common, and other images, are errors', () => {
  expect(() => compareResults(weak, results([setResult('sun397', [1])], 'x'))).toThrow(
    /no set and seed in common/,
  )
  const other = results([setResult('dtd', [70], { fingerprint: 'other' })], 'x')
  expect(() => compareResults(weak, other)).toThrow(/dtd is not the same data/)
})

test('as text, Markdown and LaTeX', () => {
  const grid = comparisonGrid(compareResults(weak, strong))
  const [text, markdown, latex] = GRID_FORMATS.map((format) => formatGrid(grid, format))
  expect(text!.split('\n')).toEqual([
    '            weak  strong_1    difference          log odds',
    '----------------------------------------------------------',
    'dtd        71.00     74.00  +3.00 ± 2.83           +0.1506',
    'pets       80.00     80.00  +0.00 ± 0.00           +0.0000',
    '----------------------------------------------------------',
    'mean of 2                                 +0.0753 ± 0.0753',
  ])
  expect(markdown!.split('\n').slice(0, 3)).toEqual([
    '|           |  weak | strong\\_1 |   difference |         log odds |',
    '|-----------|------:|----------:|-------------:|-----------------:|',
    '| dtd       | 71.00 |     74.00 | +3.00 ± 2.83 |          +0.1506 |',
  ])
  expect(latex!.split('\n').slice(0, 5)).toEqual([
    '\\begin{tabular}{lrrrr}',
    '\\toprule',
    ' & weak & strong\\_1 & difference & log odds \\\\',
    '\\midrule',
    'dtd & 71.00 & 74.00 & +3.00 $\\pm$ 2.83 & +0.1506 \\\\',
  ])
})

test("a model's results stand beside the published figures", () => {
  const text = formatGrid(resultsGrid(weak), 'text')
  expect(text).toMatch(/^dtd +71\.00 ± 1\.41 +70\.00 +\+0\.8954 +40\.00 +41\.00$/m)
  expect(text).toMatch(/^mean of these 3 +\+0\.7606/m)
  expect(text).toMatch(/^t-ReX\* \(published\): ImageNet-1K, mean of 15 +80\.20 +\+0\.8829$/m)
})
