#!/usr/bin/env node
/**
 * The probes of `trex transfer` against scikit-learn under Optuna and against plain PyTorch, interleaved.
 *
 *   node bench/probe.mjs [lbfgs|sgd] [--pairs 1] [--threads 2] [--device cpu] [--trials 30] [--small] [--json]
 *
 * lbfgs: a search of 30 trials with the last fit at the size of Pets: 2,960 and 720 rows of 2,048 features, 37 classes.
 * sgd: one fit of 20,000 x 2,048 features, 100 classes, 10 epochs of 1,024 rows a step.
 * TREX_BENCH_PYTHON names a Python with scikit-learn and optuna (lbfgs) or torch (sgd); without it trex runs alone.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { validationSplit } from '../packages/trex/dist/transfer/index.js'
import { startChild } from './child.mjs'
import { pairRatios, summarise } from './statistics.mjs'
import { clusters, writeArrays } from './trex/clusters.mjs'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    trials: { type: 'string', default: '30' },
    device: { type: 'string', default: 'cpu' },
    small: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const SEED = 22
const SHAPES = {
  lbfgs: { trainval: 3680, test: 3669, dim: 2048, classes: 37, seed: 1, separation: 0.33 },
  sgd: { trainval: 20_000, test: 100, dim: 2048, classes: 100, seed: 1, separation: 0.5 },
}
const SMALL = { trainval: 740, test: 740, dim: 256 }
const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url))
const progress = (/** @type {string} */ line) => process.stderr.write(`  ${line}\n`)

/** @param {'lbfgs' | 'sgd'} job */
async function run(job) {
  const shape = { ...SHAPES[job], ...(flags.small ? SMALL : {}) }
  const threads = Number(flags.threads)
  const load = loadavg()[0]
  const folder = mkdtempSync(join(tmpdir(), 'trex-bench-probe-'))
  const { trainval, test } = clusters(shape)
  const { val } = validationSplit(trainval.labels, SEED)
  const data = join(folder, 'data')
  writeArrays(data, [trainval.features, test.features, trainval.labels, test.labels, val])
  const common = {
    job,
    shape,
    data,
    held: val.length,
    threads,
    device: flags.device,
    seed: SEED,
    trials: Number(flags.trials),
    epochs: 10,
  }
  const env = { ...process.env, OMP_NUM_THREADS: String(threads) }
  const trex = (/** @type {string} */ name, /** @type {object} */ extra) =>
    startChild(
      name,
      process.execPath,
      [here('./trex/probe.mjs'), JSON.stringify({ ...common, ...extra })],
      env,
    )
  const python = process.env.TREX_BENCH_PYTHON ?? 'python3'
  const peerName = job === 'sgd' ? 'torch:fp32' : 'sklearn'
  const starts = {
    ...(job === 'sgd'
      ? { 'trex:bf16': () => trex('trex:bf16', { dtype: 'bf16' }), 'trex:fp32': () => trex('trex:fp32', {}) }
      : { trex: () => trex('trex', {}) }),
    [peerName]: () => startChild(peerName, python, [here('./peers/probe.py'), JSON.stringify(common)], env),
  }
  const sides = []
  const skipped = []
  for (const [name, start] of Object.entries(starts)) {
    try {
      sides.push({
        name,
        child: await start(),
        turns: /** @type {number[]} */ ([]),
        detail: /** @type {any} */ (null),
      })
    } catch (error) {
      if (name !== peerName) throw error
      skipped.push({ side: name, why: String(error.message).trim().split('\n').at(-1) })
    }
  }
  if (job === 'sgd') for (const { child } of sides) await child.go(1) // libraries load and warm up
  for (let round = 0; round < Number(flags.pairs); round++)
    for (const side of sides) {
      const { seconds, detail } = /** @type {any} */ (await side.child.go(1))
      side.turns.push(seconds[0])
      side.detail = detail
      progress(`round ${round + 1}, ${side.name}: ${seconds[0].toFixed(2)} s`)
    }
  const peer = sides.find(({ name }) => name === peerName)
  const convergence = job === 'lbfgs' && peer ? await checkConvergence(sides[0], peer) : null
  for (const { child } of sides) await child.quit()
  rmSync(folder, { recursive: true })
  return {
    ...{
      benchmark: job,
      date: new Date().toISOString(),
      load,
      settings: { ...shape, threads, device: flags.device, pairs: Number(flags.pairs) },
    },
    sides: sides.map(({ name, child, turns, detail }) => ({
      name,
      hello: child.hello,
      turns,
      seconds: summarise(turns),
      detail,
    })),
    ratios: peer
      ? sides
          .filter((side) => side !== peer)
          .map(({ name, turns }) => ({ of: peerName, to: name, time: pairRatios(peer.turns, turns) }))
      : [],
    convergence,
    skipped,
  }
}

/** At each C that the peer tried: its objective and ours over the minimum. */
async function checkConvergence(trex, peer) {
  const { fits } = peer.detail
  const { detail } = await trex.child.ask(`check ${JSON.stringify(fits.map(({ C }) => C))}`)
  return detail.map(({ C, trial, minimum }) => {
    const theirs = fits.find((fit) => fit.C === C).objective
    return { C, ours: trial / minimum - 1, theirs: theirs / minimum - 1 }
  })
}

/** @param {Awaited<ReturnType<typeof run>>} report */
function format(report) {
  const lines = [
    `${report.benchmark}: ${JSON.stringify(report.settings)}, load before ${report.load.toFixed(1)}`,
  ]
  for (const { name, hello, seconds, detail } of report.sides) {
    const { fits: _, ...rest } = detail
    lines.push(
      `  ${name.padEnd(12)}${seconds.median.toFixed(2).padStart(9)} s   ${JSON.stringify(rest)}  ${JSON.stringify(hello)}`,
    )
  }
  for (const { of, to, time } of report.ratios)
    lines.push(
      `  time ${of} / ${to} = ${time.median.toFixed(2)} [${time.min.toFixed(2)}..${time.max.toFixed(2)}]`,
    )
  if (report.convergence) {
    const worst = (key) => Math.max(...report.convergence.map((row) => row[key])).toExponential(1)
    const behind = report.convergence.filter(({ ours, theirs }) => ours > theirs + 1e-6).length
    lines.push(
      `  objective over the minimum at the peer's C, at most: trex ${worst('ours')}, sklearn ${worst('theirs')}; trex behind by more than 1e-6 at ${behind} of ${report.convergence.length}`,
    )
  }
  for (const { side, why } of report.skipped) lines.push(`  ${side} skipped: ${why}`)
  return lines.join('\n')
}

for (const job of positionals.length ? positionals : ['lbfgs', 'sgd']) {
  if (job !== 'lbfgs' && job !== 'sgd') throw new Error(`there is no benchmark ${job}: lbfgs or sgd`)
  const report = await run(job)
  process.stdout.write(`${flags.json ? JSON.stringify(report) : format(report)}\n`)
}
