#!/usr/bin/env node
/** `node bench/run.mjs NAME`: measures trex against PyTorch peers in one interleaved run. See docs/benchmarks.md. */
import { parseArgs } from 'node:util'
import { BENCHMARKS, smoke } from './benchmarks.mjs'
import { measure } from './measure.mjs'
import { formatReport } from './report.mjs'

const USAGE = `Usage: node bench/run.mjs NAME... [options]

${Object.entries(BENCHMARKS)
  .map(([name, { about, sides }]) => `  ${name.padEnd(8)}${about}\n          sides ${sides.join(',')}`)
  .join('\n')}

Options:
  --sides A,B,...  sides to compare; the first is what the others are divided by
                   (trex|torch):(fp32|bf16|fp16)[-cl][-malloc], e.g. trex:bf16-cl,torch:fp32
  --pairs N        rounds; every side takes one turn a round
  --steps N        steps a turn
  --warmup N       untimed steps before the first round
  --arch NAME      resnet18, resnet34, resnet50 or resnet101
  --batch N        images a step
  --device NAME    cpu or cuda
  --threads N      threads of every side (2)
  --smoke          tiny settings, all benchmarks when none is named: does everything run?
  --json           one line of JSON a benchmark on stdout instead of a table

A PyTorch side runs on TREX_BENCH_PYTHON if set, else on a Python whose torch has the engine's version.

Example: node bench/run.mjs step --arch resnet18 --pairs 7 --sides trex:bf16-cl,torch:bf16,torch:bf16-cl`

const OPTIONS = /** @type {const} */ ({
  sides: { type: 'string' },
  pairs: { type: 'string' },
  steps: { type: 'string' },
  warmup: { type: 'string' },
  arch: { type: 'string' },
  batch: { type: 'string' },
  device: { type: 'string' },
  threads: { type: 'string' },
  smoke: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
})

/** @typedef {Record<string, string | boolean | undefined>} Flags */

/**
 * The benchmark of that name with the flags laid over it.
 * @param {string} name
 * @param {Flags} flags
 * @returns {import('./benchmarks.mjs').Benchmark}
 */
function configure(name, flags) {
  const benchmark = BENCHMARKS[name]
  if (!benchmark)
    throw new Error(`Unknown benchmark '${name}': choose from ${Object.keys(BENCHMARKS).join(', ')}`)
  const base = flags.smoke ? smoke(benchmark) : benchmark
  const settings = { ...base.settings }
  for (const key of ['arch', 'device']) if (flags[key]) settings[key] = flags[key]
  for (const key of ['batch', 'threads']) if (flags[key]) settings[key] = count(key, flags[key])
  const plan = { pairs: base.pairs, steps: base.steps, warmup: base.warmup }
  for (const key of /** @type {const} */ (['pairs', 'steps', 'warmup'])) {
    if (flags[key]) plan[key] = count(key, flags[key], key === 'warmup' ? 0 : 1)
  }
  const sides = typeof flags.sides === 'string' ? flags.sides.split(',') : base.sides
  return { ...base, ...plan, settings, sides }
}

/**
 * @param {string} key
 * @param {string | boolean} text
 */
function count(key, text, least = 1) {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least) {
    throw new Error(`--${key} ${text}: expected a whole number of at least ${least}`)
  }
  return value
}

/**
 * @param {string} name
 * @param {Flags} flags
 */
async function runBenchmark(name, flags) {
  const benchmark = configure(name, flags)
  const { report } = await measure(name, benchmark)
  if (flags.smoke)
    report.notes.unshift('smoke settings: this shows that everything runs, its times mean nothing')
  process.stdout.write(`${flags.json ? JSON.stringify(report) : formatReport(report)}\n`)
}

async function main() {
  const { values: flags, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true })
  const names = positionals.length || !flags.smoke ? positionals : Object.keys(BENCHMARKS)
  if (flags.help || names.length === 0) {
    process.stdout.write(`${USAGE}\n`)
    return
  }
  for (const name of names) await runBenchmark(name, flags)
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
