#!/usr/bin/env node
/** `node bench/data.mjs IMAGES`: the data path beside Pillow and torchvision, interleaved. See docs/benchmarks.md. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { openLoader } from '../packages/trex/dist/data/index.js'
import { cropGroups, RECIPES } from '../packages/trex/dist/index.js'
import { startChild } from './child.mjs'
import { sampleJpegs } from './sampleJpegs.mjs'
import { pairRatios, summarise } from './statistics.mjs'

const USAGE = `Usage: node bench/data.mjs [IMAGES] [options]

  one core: decoding and the nine augmented crops of recipe trex of each image, trex and Pillow + torchvision in turn
  workers:  images/s of the loader with 1 and with 2 workers in turn
  training: the main thread's time outside the steps of a small encoder

IMAGES is a folder of JPEG files; without it some of 500 x 375 are made, whose times mean little.

Options:
  --pairs N    rounds; every side takes one turn a round (7)
  --count N    images a turn (100)
  --smoke      a few images: does everything run?
  --json       one line of JSON instead of a table

The peer runs on TREX_BENCH_PYTHON, else on the first Python of PATH that has Pillow and torchvision.`

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url))
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: 'string', default: '7' },
    count: { type: 'string', default: '100' },
    smoke: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** @returns {Promise<string | undefined>} a Python with what the peer needs */
async function findPeer() {
  const chosen = process.env.TREX_BENCH_PYTHON
  for (const path of chosen ? [chosen] : ['python3', '/usr/bin/python3']) {
    const probe =
      'import importlib.util as u; assert all(u.find_spec(m) for m in ("PIL", "torch", "torchvision"))'
    try {
      await promisify(execFile)(path, ['-c', probe])
      return path
    } catch {}
  }
}

/** One core for everything a side does: decoding threads of libvips as well. */
const pinned = process.platform === 'linux' && existsSync('/usr/bin/taskset')
const onOneCore = (/** @type {string} */ command, /** @type {string[]} */ args) =>
  pinned ? { command: 'taskset', args: ['-c', '0', command, ...args] } : { command, args }

/**
 * @param {string} images
 * @param {string[]} names
 * @param {{ pairs: number, count: number }} plan
 */
async function oneCore(images, names, { pairs, count }) {
  const settings = JSON.stringify({ images, names, seed: 22 })
  const python = await findPeer()
  const sides = [
    { name: 'trex', ...onOneCore(process.execPath, [here('./trex/pixels.mjs'), settings]) },
    ...(python ? [{ name: 'pillow', ...onOneCore(python, [here('./peers/pixels.py'), settings]) }] : []),
  ]
  const children = []
  for (const { name, command, args } of sides)
    children.push({
      name,
      child: await startChild(name, command, args, { ...process.env, OMP_NUM_THREADS: '1' }),
    })
  const rounds = children.map(({ name, child }) => ({
    name,
    hello: child.hello,
    decode: [],
    crops: [],
    all: [],
  }))
  for (const { child } of children) await child.go(Math.min(count, 20))
  for (let round = 0; round < pairs; round++) {
    for (const [i, { child }] of children.entries()) {
      const { images: done, decode, crops } = /** @type {any} */ (await child.go(count))
      rounds[i].decode.push(/** @type {never} */ ((decode / done) * 1000))
      rounds[i].crops.push(/** @type {never} */ ((crops / done) * 1000))
      rounds[i].all.push(/** @type {never} */ (((decode + crops) / done) * 1000))
    }
  }
  for (const { child } of children) await child.quit()
  const [trex, pillow] = rounds
  return {
    pinned,
    sides: rounds.map(({ name, hello, decode, crops, all }) => ({
      name,
      hello,
      decode: summarise(decode),
      crops: summarise(crops),
      all: summarise(all),
    })),
    ratio: pillow && {
      all: pairRatios(pillow.all, trex.all),
      decode: pairRatios(pillow.decode, trex.decode),
      crops: pairRatios(pillow.crops, trex.crops),
    },
    skipped: python ? undefined : 'no Python with Pillow and torchvision (set TREX_BENCH_PYTHON to one)',
  }
}

/**
 * @param {string} images
 * @param {string[]} names
 * @param {{ pairs: number, count: number }} plan
 */
async function workers(images, names, { pairs, count }) {
  const batchSize = Math.min(20, count)
  const length = 4 * count // long enough that the start and the end of an epoch weigh little
  const samples = Array.from({ length }, (_, i) => ({
    path: join(images, names[i % names.length]),
    label: 0,
  }))
  const groups = cropGroups(/** @type {any} */ (RECIPES.get('trex')))
  const sides = [1, 2].map((n) => ({
    n,
    loader: openLoader({ samples, groups, batchSize, workers: n }),
    rate: [],
  }))
  let [busy, waited] = [0, 0]
  for (let round = -1; round < pairs; round++) {
    for (const side of sides) {
      const start = performance.now()
      const before = performance.eventLoopUtilization()
      for await (const batch of side.loader.epoch(round + 1)) batch.release()
      const seconds = (performance.now() - start) / 1000
      if (round < 0) continue
      side.rate.push(/** @type {never} */ ((Math.floor(length / batchSize) * batchSize) / seconds))
      busy += performance.eventLoopUtilization(before).active
      waited += Math.floor(length / batchSize)
    }
  }
  for (const { loader } of sides) await loader.close()
  const [one, two] = sides
  return {
    batchSize,
    imagesPerSecond: { one: summarise(one.rate), two: summarise(two.rate) },
    ratio: pairRatios(two.rate, one.rate),
    mainThreadMsPerBatch: busy / waited,
  }
}

/**
 * The main thread's time outside the steps while a small encoder is trained: ResNet-18, 1 x 64 + 8 x 32 px, batch 32.
 * @param {string} images
 * @param {string[]} names
 * @param {{ smoke: boolean }} options
 */
async function training(images, names, { smoke }) {
  const { createLearner, resolveSettings, trainStep } = await import('../packages/trex/dist/index.js')
  const { tidy } = await import('../packages/torch/dist/index.js')
  const { stepInput } = await import('../packages/trex/dist/train/batch.js')
  const batchSize = smoke ? 4 : 32
  const settings = resolveSettings({
    recipe: 'trex',
    flags: { encoder: 'resnet18', imageSize: 64, batchSize },
  })
  const precision = /** @type {const} */ ({ device: 'cpu', dtype: null })
  const learner = createLearner(settings, 10, precision)
  const groups = cropGroups(settings)
  const counts = groups.map(({ count }) => count)
  const steps = smoke ? 2 : 12
  const samples = Array.from({ length: batchSize * steps }, (_, i) => ({
    path: join(images, names[i % names.length]),
    label: i % 10,
  }))
  const loader = openLoader({ samples, groups, batchSize, workers: 2 })
  let [stepMs, count, before] = [0, 0, performance.eventLoopUtilization()]
  for await (const batch of loader.epoch(0)) {
    const start = performance.now()
    tidy(() =>
      trainStep(learner, stepInput(batch, counts, { precision, channelsLast: true }), 0.001).loss.item(),
    )
    if (count++ === 0)
      before = performance.eventLoopUtilization() // the first step warms up
    else stepMs += performance.now() - start
    batch.release()
  }
  const { active } = performance.eventLoopUtilization(before)
  await loader.close()
  return { batchSize, stepMs: stepMs / (count - 1), loaderMs: (active - stepMs) / (count - 1) }
}

async function main() {
  if (flags.help) return void console.log(USAGE)
  const plan = flags.smoke
    ? { pairs: 1, count: 4 }
    : { pairs: Number(flags.pairs), count: Number(flags.count) }
  const made = positionals.length === 0 ? mkdtempSync(join(tmpdir(), 'trex-bench-')) : undefined
  try {
    const images = positionals[0] ?? (await sampleJpegs(/** @type {string} */ (made), 8))
    const names = readdirSync(images)
      .filter((name) => /\.jpe?g$/i.test(name))
      .sort()
    if (names.length === 0) throw new Error(`${images} holds no .jpg files`)
    const report = {
      benchmark: 'data',
      date: new Date().toISOString(),
      machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version },
      plan: { ...plan, images: names.length, made: made !== undefined },
      oneCore: await oneCore(images, names, plan),
      workers: await workers(images, names, plan),
      training: await training(images, names, flags),
    }
    console.log(flags.json ? JSON.stringify(report) : table(report))
  } finally {
    if (made) rmSync(made, { recursive: true })
  }
}

/** @param {any} report */
function table({ plan, machine, oneCore: one, workers: pool, training: train }) {
  const ms = (/** @type {any} */ s) => `${s.median.toFixed(2)} [${s.min.toFixed(2)}..${s.max.toFixed(2)}]`
  const row = (/** @type {string[]} */ [first, ...rest]) =>
    `  ${first.padEnd(18)}${rest.map((cell) => cell.padStart(24)).join('')}`
  return [
    '',
    `data: ${plan.images} images${plan.made ? ' made for this run: times mean little' : ''}, ${plan.pairs} rounds of ${plan.count}, ${machine.cpu}`,
    '',
    `one core${one.pinned ? '' : ' (not pinned: no taskset here)'}, ms an image`,
    row(['side', 'decode', '9 crops', 'both']),
    ...one.sides.map((/** @type {any} */ side) =>
      row([side.name, ms(side.decode), ms(side.crops), ms(side.all)]),
    ),
    ...(one.ratio
      ? [row(['pillow / trex', ms(one.ratio.decode), ms(one.ratio.crops), ms(one.ratio.all)])]
      : []),
    ...(one.skipped ? [`  pillow skipped: ${one.skipped}`] : []),
    '',
    `loader, batches of ${pool.batchSize}, images/s`,
    row(['1 worker', ms(pool.imagesPerSecond.one)]),
    row(['2 workers', ms(pool.imagesPerSecond.two)]),
    row(['2 / 1', ms(pool.ratio)]),
    `  main thread: ${pool.mainThreadMsPerBatch.toFixed(2)} ms a batch`,
    '',
    `training, ResNet-18, 64 px, batch ${train.batchSize}: ${train.stepMs.toFixed(0)} ms a step, ${train.loaderMs.toFixed(2)} ms of the main thread between steps (${((100 * train.loaderMs) / train.stepMs).toFixed(2)} %)`,
  ].join('\n')
}

await main()
