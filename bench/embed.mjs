#!/usr/bin/env node
/** `node bench/embed.mjs`: `trex embed` beside onnxruntime-node alone, interleaved. See docs/benchmarks.md. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Generator, saveTensors, tidy } from '../packages/torch/dist/index.js'
import { createEncoder } from '../packages/trex/dist/method/index.js'
import { measure } from './measure.mjs'
import { buildReport, formatReport } from './report.mjs'
import { sampleJpegs } from './sampleJpegs.mjs'

const USAGE = `Usage: node bench/embed.mjs [IMAGES] [options]

  Features of JPEG files by trex embed, from the files to a file of features, beside onnxruntime-node alone on the same
  pixels, decoded and prepared before.

IMAGES is a folder of JPEG files; without it some of 500 x 375 are made.

Options:
  --sides A,B,...  ort:fp32 is onnxruntime-node alone; trex:fp32 is trex embed on it, trex:fp32-libtorch and
                   trex:bf16-libtorch on libtorch
  --arch NAME      resnet18, resnet34, resnet50 (the default) or resnet101
  --batch N        images at once (16)
  --count N        files a pass (64)
  --workers N      threads that decode (2)
  --threads N      threads that compute (2)
  --pairs N        rounds; every side takes one turn a round (5)
  --smoke          tiny settings: does everything run?
  --json           one line of JSON on stdout instead of a table`

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sides: { type: 'string', default: 'ort:fp32,trex:fp32,trex:fp32-libtorch,trex:bf16-libtorch' },
    arch: { type: 'string', default: 'resnet50' },
    batch: { type: 'string', default: '16' },
    count: { type: 'string', default: '64' },
    workers: { type: 'string', default: '2' },
    threads: { type: 'string', default: '2' },
    pairs: { type: 'string', default: '5' },
    smoke: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

async function main() {
  if (flags.help) return void console.log(USAGE)
  const folder = mkdtempSync(join(tmpdir(), 'trex-bench-'))
  try {
    const [arch, size] = flags.smoke ? ['resnet18', 48] : [flags.arch, 224]
    const count = flags.smoke ? 4 : Number(flags.count)
    const images = positionals[0] === undefined ? await sampleJpegs(folder, count) : resolve(positionals[0])
    if (!readdirSync(images).some((name) => /\.jpe?g$/i.test(name)))
      throw new Error(`${images} has no JPEG files`)
    const weights = join(folder, 'weights.safetensors')
    tidy(() => saveTensors(weights, createEncoder(arch, { generator: new Generator(22) }).stateDict()))
    const sides = flags.sides.split(',')
    /** @type {import('./benchmarks.mjs').Benchmark} */
    const benchmark = {
      about: 'features of JPEG files, a pass a step',
      script: 'embed',
      settings: {
        ...{
          arch,
          size,
          seed: 22,
          device: 'cpu',
          threads: Number(flags.threads),
          weights,
          images,
          batch: count,
        },
        ...{ batchSize: flags.smoke ? 2 : Number(flags.batch), workers: Number(flags.workers) },
      },
      sides,
      smokeSides: [],
      pairs: flags.smoke ? 1 : Number(flags.pairs),
      steps: 1,
      warmup: 1,
    }
    const { report, results } = await measure('embed', benchmark)
    // Each side of trex over onnxruntime-node alone.
    const alone = results.find(({ name }) => name.startsWith('ort'))
    if (alone)
      report.ratios = results
        .filter((side) => side !== alone)
        .flatMap((side) => buildReport('', { ...benchmark, sides: [side.name] }, [side, alone], [], 0).ratios)
    console.log(flags.json ? JSON.stringify(report) : formatReport(report))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
