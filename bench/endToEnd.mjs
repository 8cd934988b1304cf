#!/usr/bin/env node
/** `node bench/endToEnd.mjs`: training from JPEG files by trex and by PyTorch, interleaved. See docs/benchmarks.md. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { RECIPES } from '../packages/trex/dist/index.js'
import { BENCHMARKS } from './benchmarks.mjs'
import { measure } from './measure.mjs'
import { formatReport } from './report.mjs'
import { sampleJpegs } from './sampleJpegs.mjs'

const USAGE = `Usage: node bench/endToEnd.mjs [IMAGES] [options]

  t-ReX steps (online class means, 1 x 224 + 8 x 96 px crops) fed from JPEG files: decoding, crops, copies, the step

IMAGES is a folder of JPEG files; without it some of 500 x 375 are made.

Options:
  --sides A,B,...  as of bench/run.mjs
  --arch NAME      resnet50 (the default), resnet18, ...
  --batch N        images a step (64)
  --workers N      threads or processes that decode (as many as there are cores)
  --device NAME    cpu or cuda
  --threads N      threads that compute (2)
  --pairs N        rounds; every side takes one turn a round (3)
  --steps N        steps a turn (20)
  --smoke          tiny settings: does everything run?
  --json           one line of JSON instead of a table

A PyTorch side needs Pillow beside PyTorch; TREX_BENCH_PYTHON chooses the Python.`

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sides: { type: 'string', default: 'trex:bf16-cl,torch:bf16-cl' },
    arch: { type: 'string', default: 'resnet50' },
    batch: { type: 'string', default: '64' },
    workers: { type: 'string', default: String(availableParallelism()) },
    device: { type: 'string', default: 'cpu' },
    threads: { type: 'string', default: '2' },
    pairs: { type: 'string', default: '3' },
    steps: { type: 'string', default: '20' },
    smoke: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

async function main() {
  if (flags.help) return void console.log(USAGE)
  const made = positionals[0] === undefined
  const images = made ? mkdtempSync(join(tmpdir(), 'trex-bench-')) : resolve(positionals[0])
  try {
    if (made) await sampleJpegs(images, flags.smoke ? 4 : 200)
    if (!readdirSync(images).some((name) => /\.jpe?g$/i.test(name)))
      throw new Error(`${images} has no JPEG files`)
    const { globalCrops, localCrops, extraCrops, augment, normalization } = /** @type {any} */ (
      RECIPES.get('trex')
    )
    /** @type {import('./benchmarks.mjs').Benchmark} */
    const benchmark = {
      about: `t-ReX steps fed from ${made ? 'made ' : ''}JPEG files`,
      script: 'endToEnd',
      settings: {
        ...BENCHMARKS.step.settings,
        ...{ globalCrops, localCrops, extraCrops, augment, normalization, images },
        ...{ arch: flags.smoke ? 'resnet18' : flags.arch, device: flags.device },
        ...{ batch: flags.smoke ? 2 : Number(flags.batch), workers: Number(flags.workers) },
        threads: Number(flags.threads),
      },
      sides: flags.sides.split(','),
      smokeSides: [],
      pairs: flags.smoke ? 1 : Number(flags.pairs),
      steps: flags.smoke ? 1 : Number(flags.steps),
      warmup: flags.smoke ? 1 : 10,
    }
    const { report } = await measure('endToEnd', benchmark)
    console.log(flags.json ? JSON.stringify(report) : formatReport(report))
  } finally {
    if (made) rmSync(images, { recursive: true })
  }
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
