/** The trex side of bench/probe.mjs: a search of the logistic probe, or one fit of the SGD probe. */
import { createInterface } from 'node:readline'
import * as torch from '../../packages/torch/dist/index.js'
import { normalizeFeatures } from '../../packages/trex/dist/transfer/featureSet.js'
import {
  accuracy,
  logisticProblem,
  predict,
  searchLbfgsProbe,
  selectRows,
  validationSplit,
} from '../../packages/trex/dist/transfer/index.js'
import { withOnes } from '../../packages/trex/dist/transfer/newton.js'
import { sgdFit } from '../../packages/trex/dist/transfer/sgd.js'
import { clusters } from './clusters.mjs'

const settings = JSON.parse(process.argv[2])
torch.setNumThreads(settings.threads)
const { device = 'cpu' } = settings
const { trainval, test } = clusters(settings.shape)
const answer = (/** @type {unknown} */ value) => process.stdout.write(`${JSON.stringify(value)}\n`)

async function search() {
  const run = searchLbfgsProbe(trainval, test, {
    seeds: [settings.seed],
    trials: settings.trials,
    device,
  })
  let next = await run.next()
  while (!next.done) next = await run.next()
  const [{ score, chosen, trials, fit }] = next.value.seeds
  const sum = (/** @type {string} */ key) =>
    [fit, ...trials.map(({ attributes }) => attributes)].reduce((s, a) => s + a[key], 0)
  const fits = trials.map(({ parameters, attributes }) => ({
    C: parameters.C,
    objective: attributes.objective,
  }))
  return {
    ...{ test: score, C: chosen.C, objective: fit.objective, fits },
    cost: { iterations: sum('iterations'), evaluations: sum('evaluations'), products: sum('products') },
  }
}

/** One fit as the trials do it; the rows' order is drawn and the loss read as a probe does. */
function sgd() {
  return torch.tidy(() =>
    torch.noGrad(() => {
      const { dim, labels } = trainval
      const products = settings.dtype === 'bf16' ? 'bfloat16' : 'float32'
      const { features } = normalizeFeatures(trainval, 'l2')
      const x = withOnes(torch.fromTypedArray(features, [labels.length, dim], { device })).to(products)
      const theta = torch.full([dim + 1, settings.shape.classes], 0, { device })
      const order = () => Uint32Array.from(torch.randperm(labels.length).toTypedArray(), Number)
      const options = { lr: 10, weightDecay: 1e-8, epochs: settings.epochs, batch: 1024, order, products }
      let loss = null
      for (const { losses } of sgdFit(x, labels, theta, options)) loss = losses.at(-1)
      return { loss }
    }),
  )
}

/** Objectives at other C, as a trial's fit ends and as a far tighter one does, on the rows that trials fit. */
function check(/** @type {number[]} */ values) {
  const { train } = validationSplit(trainval.labels, settings.seed)
  const problem = logisticProblem(selectRows(trainval, train), settings.shape.classes, {
    dtype: 'float32',
    device,
  })
  let start
  const rows = []
  for (const C of [...values].sort((a, b) => a - b)) {
    const trial = problem.fit({ C, start, tolerance: 1e-5 })
    start = problem.fit({ C, start: trial, tolerance: 1e-8 })
    rows.push({ C, trial: trial.objective, minimum: Math.min(trial.objective, start.objective) })
  }
  problem.dispose()
  return rows
}

/** Test top-1 at some C with the original's stopping rule, fitted on all of trainval. */
function original(/** @type {number[]} */ values) {
  const problem = logisticProblem(trainval, settings.shape.classes, { stopping: 'original', device })
  const rows = values.map((C) => {
    const fit = problem.fit({ C })
    return { C, objective: fit.objective, test: accuracy(predict(fit, test.features), test.labels).top1 }
  })
  problem.dispose()
  return rows
}

answer({ ready: { torch: torch.engineInfo().version, threads: torch.getNumThreads() } })
for await (const line of createInterface({ input: process.stdin })) {
  if (line.startsWith('check')) {
    answer({ seconds: [], detail: check(JSON.parse(line.slice(6))) })
    continue
  }
  if (line.startsWith('original')) {
    answer({ seconds: [], detail: original(JSON.parse(line.slice(9))) })
    continue
  }
  const start = performance.now()
  const detail = settings.job === 'sgd' ? sgd() : await search()
  answer({ seconds: [(performance.now() - start) / 1000], detail })
}
