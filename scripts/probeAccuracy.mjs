#!/usr/bin/env node
/**
 * Equal accuracy of the linear probe: trex against scikit-learn under Optuna on feature sets of four shapes.
 *
 *   node scripts/probeAccuracy.mjs --out FOLDER [--only dtd,pets] [--seeds 5] [--small] [--threads 2]
 *
 * For every shape and seed, both programs search C (30 trials), refit and score; then, at C of the whole range, trex with
 * the original's stopping rule against scikit-learn's L-BFGS under the same rule. FOLDER/accuracy.json holds what is done:
 * run the command again to go on. TREX_BENCH_PYTHON names a Python with scikit-learn and optuna.
 *
 * It holds when, per shape, the mean test top-1 is at least theirs less 0.2 points, no fit at their C is less converged,
 * and with the original's stopping rule accuracies at the same C are within 0.5 points.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startChild } from '../bench/child.mjs'
import { clusters, writeArrays } from '../bench/trex/clusters.mjs'
import { writeFileAtomic } from '../packages/torch/dist/safetensors.js'
import { validationSplit } from '../packages/trex/dist/transfer/index.js'

/** Images and classes of four data sets; separations that leave 65 to 95 % to get right. */
const SHAPES = {
  dtd: { trainval: 3760, test: 1880, classes: 47, dim: 2048, separation: 0.22 },
  pets: { trainval: 3680, test: 3669, classes: 37, dim: 2048, separation: 0.31 },
  flowers: { trainval: 2040, test: 6149, classes: 102, dim: 2048, separation: 0.4 },
  aircraft: { trainval: 6667, test: 3333, classes: 100, dim: 2048, separation: 0.22 },
}
const SMALL = { trainval: 740, test: 2000, dim: 128, separation: 0.6 }
/** Strengths at which the original's stopping rule is compared. */
const C_VALUES = [1e-3, 1e-1, 10, 1e3, 1e5]

const { values: flags } = parseArgs({
  options: {
    out: { type: 'string' },
    only: { type: 'string' },
    seeds: { type: 'string', default: '5' },
    trials: { type: 'string', default: '30' },
    threads: { type: 'string', default: '2' },
    small: { type: 'boolean', default: false },
  },
})
if (!flags.out) throw new Error('say where to: --out FOLDER')
const out = flags.out
mkdirSync(out, { recursive: true })
const resultPath = join(out, 'accuracy.json')
const names = /** @type {(keyof typeof SHAPES)[]} */ (flags.only?.split(',') ?? Object.keys(SHAPES))
const settings = { trials: Number(flags.trials), small: flags.small, shapes: SHAPES, cValues: C_VALUES }
const done = existsSync(resultPath)
  ? JSON.parse(readFileSync(resultPath, 'utf8'))
  : { settings, runs: /** @type {any[]} */ ([]) }
if (JSON.stringify(done.settings) !== JSON.stringify(settings))
  throw new Error(`${resultPath} was made with other settings: choose another --out`)
const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url))

/**
 * Both programs on one set with one seed.
 * @param {keyof typeof SHAPES} name
 * @param {number} seed
 */
async function compare(name, seed) {
  const shape = { ...SHAPES[name], ...(flags.small ? SMALL : {}), seed: 100 + seed }
  const folder = mkdtempSync(join(tmpdir(), 'trex-accuracy-'))
  const { trainval, test } = clusters(shape)
  const { val } = validationSplit(trainval.labels, seed)
  const data = join(folder, 'data')
  writeArrays(data, [trainval.features, test.features, trainval.labels, test.labels, val])
  const threads = Number(flags.threads)
  const common = { job: 'lbfgs', shape, data, held: val.length, threads, seed, trials: settings.trials }
  const env = { ...process.env, OMP_NUM_THREADS: String(threads) }
  const python = process.env.TREX_BENCH_PYTHON ?? 'python3'
  const json = JSON.stringify(common)
  const trex = await startChild('trex', process.execPath, [here('../bench/trex/probe.mjs'), json], env)
  const peer = await startChild('scikit-learn', python, [here('../bench/peers/probe.py'), json], env)
  try {
    const ours = /** @type {any} */ (await trex.go(1)).detail
    const theirs = /** @type {any} */ (await peer.go(1)).detail
    const fits = [...theirs.fits]
    const check = (await trex.ask(`check ${JSON.stringify(fits.map(({ C }) => C))}`)).detail
    const behind = check.map(({ C, trial, minimum }) => ({
      C,
      ours: trial / minimum - 1,
      theirs: fits.find((fit) => fit.C === C).objective / minimum - 1,
    }))
    const original = (await trex.ask(`original ${JSON.stringify(C_VALUES)}`)).detail
    const sklearn = (await peer.ask(`original ${JSON.stringify(C_VALUES)}`)).detail
    const sameRule = original.map(({ C, test }, i) => ({ C, ours: test, theirs: sklearn[i].test }))
    const short = ({ test, C, objective }) => ({ test, C, objective })
    return { name, seed, ours: short(ours), theirs: short(theirs), convergence: behind, sameRule }
  } finally {
    await trex.quit()
    await peer.quit()
    rmSync(folder, { recursive: true })
  }
}

for (const name of names)
  for (let seed = 0; seed < Number(flags.seeds); seed++) {
    if (done.runs.some((run) => run.name === name && run.seed === seed)) continue
    const run = await compare(name, seed)
    done.runs.push(run)
    writeFileAtomic(resultPath, [Buffer.from(`${JSON.stringify(done, null, 1)}\n`)])
    const line = `trex ${run.ours.test.toFixed(2)} %, scikit-learn ${run.theirs.test.toFixed(2)} %`
    console.log(`${name}, seed ${seed}: ${line}`)
  }

const mean = (/** @type {number[]} */ values) => values.reduce((a, b) => a + b, 0) / values.length
for (const name of names) {
  const runs = done.runs.filter((run) => run.name === name)
  if (runs.length === 0) continue
  const gain = mean(runs.map(({ ours, theirs }) => ours.test - theirs.test))
  const convergence = runs.flatMap((run) => run.convergence)
  const lead = Math.max(...convergence.map(({ ours, theirs }) => ours - theirs))
  const sameRule = runs.flatMap((run) => run.sameRule).map(({ ours, theirs }) => Math.abs(ours - theirs))
  const holds = gain >= -0.2 && lead <= 1e-6 && Math.max(...sameRule) <= 0.5
  console.log(
    `${name.padEnd(9)} ${runs.length} seeds: top-1 ${mean(runs.map(({ ours }) => ours.test)).toFixed(2)} %, ` +
      `theirs ${mean(runs.map(({ theirs }) => theirs.test)).toFixed(2)} % (${gain >= 0 ? '+' : ''}${gain.toFixed(2)}); ` +
      `objective over the minimum at most ${Math.max(...convergence.map(({ ours }) => ours)).toExponential(1)}, theirs ` +
      `${Math.max(...convergence.map(({ theirs }) => theirs)).toExponential(1)}; same rule, same C: at most ` +
      `${Math.max(...sameRule).toFixed(2)} points apart: ${holds ? 'holds' : 'DOES NOT HOLD'}`,
  )
}
