#!/usr/bin/env node
/** `node bench/extract.mjs`: features by trex and by PyTorch, interleaved. See docs/benchmarks.md. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { measure } from './measure.mjs'
import { buildReport, formatReport } from './report.mjs'
import { sampleJpegs } from './sampleJpegs.mjs'

const USAGE = `Usage: node bench/extract.mjs [IMAGES] [options]

  tensors: features of a batch of decoded images
  files:   features of JPEG files: decoding, resizing, network, writing

IMAGES is a folder of JPEG files; without it some of 500 x 375 are made.

Options:
  --only NAME      tensors or files
  --sides A,B,...  as of bench/run.mjs; the others are divided by the first of each precision
  --arch NAME      resnet18, resnet34, resnet50 (the default) or resnet101
  --batch N        images a step (16)
  --count N        files a pass (64)
  --workers N      processes or threads that decode (2)
  --threads N      threads that compute (2)
  --device NAME    cpu or cuda
  --pairs N        rounds; every side takes one turn a round (5)
  --smoke          tiny settings: does everything run?
  --json           one line of JSON a benchmark on stdout instead of a table

A PyTorch side of files needs Pillow beside PyTorch; TREX_BENCH_PYTHON chooses the Python.`

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    sides: { type: 'string', default: 'trex:fp32-cl,trex:bf16-cl,torch:fp32,torch:fp32-cl,torch:bf16-cl' },
    arch: { type: 'string', default: 'resnet50' },
    batch: { type: 'string', default: '16' },
    count: { type: 'string', default: '64' },
    workers: { type: 'string', default: '2' },
    threads: { type: 'string', default: '2' },
    device: { type: 'string', default: 'cpu' },
    pairs: { type: 'string', default: '5' },
    smoke: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/**
 * @param {'tensors' | 'files'} name
 * @param {Record<string, unknown>} settings
 */
async function compare(name, settings) {
  const files = name === 'files'
  /** @type {import('./benchmarks.mjs').Benchmark} */
  const benchmark = {
    about: files ? 'features of JPEG files, a pass a step' : 'features of a batch of decoded images',
    script: 'extract',
    settings,
    sides: flags.sides.split(','),
    smokeSides: [],
    pairs: flags.smoke ? 1 : Number(flags.pairs),
    steps: files || flags.smoke ? 1 : 3,
    warmup: files ? 1 : 2,
  }
  const { report, results } = await measure(`extract, ${name}`, benchmark)
  // One more reference: what bf16 gains over PyTorch's fp32.
  const half = results.find((side) => side.name.startsWith('trex:bf16'))
  if (half && half.name !== benchmark.sides[0]) {
    const others = { ...benchmark, sides: [half.name] }
    const peers = results.filter((side) => side === half || side.name.startsWith('torch'))
    report.ratios.push(...buildReport(name, others, peers, [], 0).ratios)
  }
  console.log(flags.json ? JSON.stringify(report) : formatReport(report))
}

async function main() {
  if (flags.help) return void console.log(USAGE)
  const made = positionals[0] === undefined
  const images = made ? mkdtempSync(join(tmpdir(), 'trex-bench-')) : resolve(positionals[0])
  try {
    const count = flags.smoke ? 4 : Number(flags.count)
    if (made) await sampleJpegs(images, count)
    const jpegs = readdirSync(images).filter((name) => /\.jpe?g$/i.test(name))
    if (jpegs.length === 0) throw new Error(`${images} has no JPEG files`)
    const [arch, size] = flags.smoke ? ['resnet18', 48] : [flags.arch, 224]
    const common = { arch, size, seed: 22, device: flags.device, threads: Number(flags.threads) }
    const batchSize = flags.smoke ? 2 : Number(flags.batch)
    if (flags.only !== 'files') await compare('tensors', { ...common, batch: batchSize })
    if (flags.only !== 'tensors')
      await compare('files', { ...common, batchSize, batch: count, workers: Number(flags.workers), images })
  } finally {
    if (made) rmSync(images, { recursive: true })
  }
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
