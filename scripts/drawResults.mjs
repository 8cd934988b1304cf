/**
 * Figures and tables of docs/results.md from what scripts/tradeOff.mjs and scripts/equalLearning.mjs wrote.
 *
 *   node scripts/drawResults.mjs TRADE_OFF.json [EQUAL_LEARNING.json]   figures to docs/, tables to the terminal
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { differenceChart } from '../packages/trex/dist/report/differenceChart.js'
import { htmlText } from '../packages/trex/dist/report/html.js'
import { scatterChart } from '../packages/trex/dist/report/scatterChart.js'

const shape = createRequire(new URL('../packages/trex/package.json', import.meta.url))('d3-shape')
const read = (/** @type {string} */ path) => JSON.parse(readFileSync(path, 'utf8'))
const write = (/** @type {string} */ name, /** @type {any} */ figure) =>
  writeFileSync(new URL(`../docs/${name}`, import.meta.url), htmlText(figure))

const marks = {
  L0: { label: 't-ReX, L = 0', tone: '#7fb2e5', shape: shape.symbolTriangle },
  L1: { label: 't-ReX, L = 1', tone: '#2f80c9', shape: shape.symbolDiamond },
  L2: { label: 't-ReX, L = 2', tone: '#0b5394', shape: shape.symbolSquare },
  L3: { label: 't-ReX, L = 3', tone: '#062a4f', shape: shape.symbolCircle },
  supervised: { label: 'plain supervision', tone: '#c25400', shape: shape.symbolStar },
}

const [tradeOff, equal] = process.argv.slice(2)
if (!tradeOff)
  throw new Error('a file is needed: that of tradeOff.mjs, and perhaps that of equalLearning.mjs')
drawTradeOff(read(tradeOff))
if (equal) drawEqualLearning(read(equal))

/** @param {any} results */
function drawTradeOff({ runs, untrained = [], transfer }) {
  const names = transfer.map(({ name }) => name)
  const rows = Object.entries(marks).map(([model, mark]) => ({
    mark,
    runs: runs.filter((run) => run.model === model),
  }))
  write(
    'results.svg',
    scatterChart({
      title: 'Training task against transfer, one small point a run',
      xLabel: 'top-1 of the training task (%)',
      yLabel: 'mean log odds of linear probes',
      series: rows.map(({ mark, runs }) => ({
        mark,
        points: runs.map((run) => [run.top1, run.probes.meanLogOdds]),
      })),
      ...(untrained.length > 0 && {
        reference: {
          y: mean(untrained.map((run) => run.probes.meanLogOdds)),
          label: 'the same encoder, untrained',
        },
      }),
      format: (x, y) => `${x.toFixed(1)} %, ${y.toFixed(2)}`,
    }),
  )
  console.log(line(['model', 'training task', ...names, 'mean log odds']))
  console.log(line(Array.from({ length: names.length + 3 }, () => '---')))
  const chance = untrained.length > 0 ? [{ mark: { label: 'untrained' }, runs: untrained }] : []
  for (const { mark, runs } of [...rows, ...chance]) {
    const transferred = names.map((name) => spread(runs.map((run) => run.probes.top1[name])))
    const task = runs === untrained ? '' : spread(runs.map((run) => run.top1))
    console.log(
      line([
        mark.label,
        task,
        ...transferred,
        spread(
          runs.map((run) => run.probes.meanLogOdds),
          2,
        ),
      ]),
    )
  }
}

/** @param {any} results */
function drawEqualLearning({ losses, runs, sets, seeds }) {
  const tones = ['#0b5cad', '#c25400', '#6a4a9c', '#68717b']
  const labels = [
    'trex - PyTorch, float32',
    'trex - PyTorch, float64',
    'float32 - float64, trex',
    'float32 - float64, PyTorch',
  ]
  const values = /** @type {number[][]} */ (Object.values(losses.differences))
  write(
    'results-losses.svg',
    differenceChart({
      title: 'Losses of the same steps: relative differences',
      xLabel: 'step',
      yLabel: '|a - b| / |b|',
      series: values.map((values, i) => ({
        mark: { label: labels[i], tone: tones[i], shape: shape.symbolSquare },
        values,
      })),
    }),
  )
  console.log('')
  for (const [pair, values] of Object.entries(losses.differences))
    console.log(line([pair, Math.max(.../** @type {number[]} */ (values)).toExponential(1)]))
  console.log('')
  const names = sets.map(({ name }) => name)
  console.log(line(['program', 'seed', 'training task', ...names.map((name) => `probe, ${name}`)]))
  for (const program of ['trex', 'PyTorch']) {
    const own = runs.filter((run) => run.program === program)
    const last = (/** @type {any} */ run) => run.epochs.at(-1).top1
    for (const seed of seeds) {
      const run = own.find((one) => one.seed === seed)
      if (run)
        console.log(
          line([
            program,
            seed,
            last(run).toFixed(1),
            ...names.map((name) => run.probes.top1[name].toFixed(1)),
          ]),
        )
    }
    console.log(
      line([
        program,
        'mean ± sd',
        spread(own.map(last)),
        ...names.map((name) => spread(own.map((run) => run.probes.top1[name]))),
      ]),
    )
  }
}

/** @param {number[]} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Mean ± standard deviation (of a sample). @param {number[]} values */
function spread(values, digits = 1) {
  const middle = mean(values)
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1)
  return `${middle.toFixed(digits)} ± ${Math.sqrt(variance).toFixed(digits)}`
}

/** @param {(string | number)[]} cells */
function line(cells) {
  return `| ${cells.join(' | ')} |`
}
