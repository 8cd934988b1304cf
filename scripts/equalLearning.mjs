/**
 * Does t-ReX learn the same in trex as in plain PyTorch (bench/peers, written for this comparison)?
 *
 * 1. The peer against the golden files of the original program.
 * 2. Losses of the same training steps: initial weights and batches of trex, in both programs, in float32 and float64.
 * 3. Whole runs with several seeds, each program with its own crops, order and initial weights: top-1 of the training
 *    task, and linear probes by the same code on both encoders.
 *
 *   node scripts/equalLearning.mjs --data ROOT [--transfer NAME=ROOT ...] --out DIR [--results FILE]
 *
 * ROOT has train/ and test/ (or val/) of class folders. Needs a Python with torch, safetensors and pillow
 * (TREX_BENCH_PYTHON names it). What is finished is kept in DIR.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { findPython, selectedEngine } from '../bench/python.mjs'
import { engineInfo, fromTypedArray, setNumThreads, tidy } from '../packages/torch/dist/index.js'
import { openSafetensors, typedArrayOf } from '../packages/torch/dist/safetensors.js'
import { readImageDataset } from '../packages/trex/dist/data/index.js'
import {
  createEncoder,
  createLearner,
  disposeLearner,
  learningRates,
  resolveSettings,
  START,
  saveLearner,
} from '../packages/trex/dist/index.js'
import { extractFeatures } from '../packages/trex/dist/transfer/index.js'
import { readProbeSet } from './results/imageSets.mjs'
import { linkParts, scoredPart } from './results/linkParts.mjs'
import { PROBE, probeEncoder } from './results/probeEncoder.mjs'
import { relativeDifferences, torchLosses, trexLosses, writeBatches } from './results/replayedSteps.mjs'
import { epochRows, runChild, trainRun, withEncoder } from './results/trainRun.mjs'

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    transfer: { type: 'string', multiple: true, default: [] },
    out: { type: 'string' },
    results: { type: 'string' },
    epochs: { type: 'string', default: '12' },
    seeds: { type: 'string', default: '1,2,3' },
    steps: { type: 'string', default: '200' },
    most: { type: 'string', default: '1500' },
  },
})
const { data: root, out } = values
if (!root || !out) throw new Error('--data and --out are needed')
const seeds = values.seeds.split(',').map(Number)
const THREADS = 2
const SIZE = 64
const precision = /** @type {const} */ ({ device: 'cpu', dtype: null })

/** Chosen before any run, from the recipe, the demo and scripts/tradeOff.mjs; both programs read them. */
const config = {
  recipe: 'trex',
  encoder: 'resnet18',
  imageSize: SIZE,
  stem: 'imagenet',
  batchSize: 32,
  epochs: Number(values.epochs),
  precision: 'fp32',
  workers: 1,
  localCrops: { count: 2, size: SIZE / 2 },
  projector: { layers: 3, hidden: 512, bottleneck: 128 },
  onlineClassMeans: { size: 320, emaMomentum: 0.98 },
  optimizer: { lr: 0.8, warmupEpochs: 1 },
  validation: { resize: SIZE, crop: SIZE },
}
mkdirSync(out, { recursive: true })
setNumThreads(THREADS)
const { python, why } = await findPython(selectedEngine()?.version, selectedEngine()?.python)
if (!python) throw new Error(why)
const peer = (/** @type {string} */ name) => fileURLToPath(new URL(`../bench/peers/${name}`, import.meta.url))
const settingsOf = (/** @type {number} */ seed) =>
  resolveSettings({ recipe: config.recipe, flags: /** @type {any} */ ({ ...config, seed }) })

const own = await readProbeSet(`itself=${root}`, { most: Number.POSITIVE_INFINITY })
const others = await Promise.all(
  values.transfer.map((spec) => readProbeSet(spec, { most: Number(values.most) })),
)
const sets = [own, ...others]
const data = linkParts(join(out, 'data'), root, { classes: own.classNames, val: scoredPart(root) })

const golden = await once('golden', async () => {
  const folder = fileURLToPath(new URL('../packages/trex/test/golden', import.meta.url))
  return JSON.parse((await promisify(execFile)(python.path, [peer('golden.py'), folder])).stdout)
})
console.log('golden', JSON.stringify(golden))
const losses = await once('losses', replay)
for (const [pair, differences] of Object.entries(losses.differences))
  console.log(`${pair}: largest relative difference ${Math.max(...differences).toExponential(2)}`)
const runs = []
for (const seed of seeds) {
  for (const [program, train] of [
    ['trex', trainTrex],
    ['PyTorch', trainTorch],
  ]) {
    const scores = await once(`${program}-seed${seed}-scores`, () => train(seed))
    runs.push({ program, seed, ...scores })
    console.log(JSON.stringify(runs.at(-1)))
    writeFileSync(values.results ?? join(out, 'results.json'), `${JSON.stringify(results(), null, 2)}\n`)
  }
}

/** The same steps four times: both programs, in float32 and in float64. */
async function replay() {
  const settings = settingsOf(seeds[0])
  const { train, classes } = await readImageDataset(data)
  const steps = Number(values.steps)
  const [state, batches] = [join(out, 'initial.safetensors'), join(out, 'batches.bin')]
  const perEpoch = await writeBatches(batches, { samples: train, settings, steps })
  const learner = createLearner(settings, classes.length, precision)
  saveLearner(state, learner, START)
  disposeLearner(learner)
  const { lr, minLr, warmupEpochs } = settings.optimizer
  const schedule = { peak: (lr * settings.batchSize) / 256, final: minLr, epochs: settings.epochs }
  const rates = [...learningRates({ ...schedule, iterationsPerEpoch: perEpoch, warmupEpochs })].slice(
    0,
    steps,
  )
  const job = { settings, classes: classes.length, state, batches, rates, threads: THREADS }
  /** @type {Record<string, number[]>} */
  const curves = {}
  for (const dtype of /** @type {const} */ (['float32', 'float64'])) {
    curves[`trex ${dtype}`] = trexLosses({ ...job, dtype })
    curves[`PyTorch ${dtype}`] = await torchLosses(python.path, peer('steps.py'), { ...job, dtype })
  }
  const pairs = [
    ['trex float32', 'PyTorch float32'],
    ['trex float64', 'PyTorch float64'],
    ['trex float32', 'trex float64'],
    ['PyTorch float32', 'PyTorch float64'],
  ]
  const differences = Object.fromEntries(
    pairs.map(([a, b]) => [`${a} - ${b}`, relativeDifferences(curves[a], curves[b])]),
  )
  return { rates, curves, differences, batchBytes: statSync(batches).size }
}

/** @param {number} seed */
async function trainTrex(seed) {
  const dir = join(out, `trex-seed${seed}`)
  await trainRun(dir, data, config, seed)
  const probes = await withEncoder(dir, (encoder) =>
    probeEncoder(encoder, sets, { size: SIZE, seed, precision }),
  )
  return { epochs: epochRows(dir).map(({ loss, top1 }) => ({ loss, top1 })), probes }
}

/** @param {number} seed */
async function trainTorch(seed) {
  const dir = join(out, `torch-seed${seed}`)
  const job = { settings: settingsOf(seed), data, threads: THREADS, out: dir }
  if (!existsSync(join(dir, 'metrics.json')))
    await runChild(python.path, [peer('train.py'), JSON.stringify(job)])
  const encoder = createEncoder(config.encoder, { stem: 'imagenet' })
  loadWeights(encoder, join(dir, 'encoder.safetensors'))
  encoder.to({ memoryFormat: 'channelsLast' })
  const featureDistance = await distanceOfFeatures(encoder, join(dir, 'val-features.safetensors'))
  const probes = await probeEncoder(encoder, sets, { size: SIZE, seed, precision })
  encoder.dispose()
  const { epochs } = JSON.parse(readFileSync(join(dir, 'metrics.json'), 'utf8'))
  return { epochs: epochs.map(({ loss, top1 }) => ({ loss, top1 })), featureDistance, probes }
}

/** Weights under torchvision's names. */
function loadWeights(
  /** @type {import('../packages/trex/dist/index.js').Encoder} */ encoder,
  /** @type {string} */ path,
) {
  const file = openSafetensors(path)
  tidy(() => {
    const read = (/** @type {string} */ name) => {
      const raw = file.read(name)
      return fromTypedArray(/** @type {any} */ (typedArrayOf(raw)), raw.shape)
    }
    encoder.loadStateDict(new Map([...file.entries.keys()].map((name) => [name, read(name)])))
  })
  file.close()
}

/** Relative l2 distance of trex's features of the validation images from those that PyTorch computed. */
async function distanceOfFeatures(/** @type {any} */ encoder, /** @type {string} */ path) {
  const file = openSafetensors(path)
  const expected = /** @type {Float32Array} */ (typedArrayOf(file.read('features')))
  file.close()
  const transform = /** @type {const} */ ({ resize: SIZE, crop: SIZE, filter: 'bilinear' })
  const options = { transform, batchSize: 64, workers: 1, precision, channelsLast: true }
  const { val } = await readImageDataset(data)
  const { features } = await extractFeatures(encoder, val, options)
  const sum = (/** @type {(i: number) => number} */ term) =>
    features.reduce((total, _, i) => total + term(i) ** 2, 0)
  return Math.sqrt(sum((i) => features[i] - expected[i]) / sum((i) => expected[i]))
}

/**
 * What body returns, kept in DIR under a name.
 * @param {string} name
 * @param {() => Promise<any>} body
 */
async function once(name, body) {
  const file = join(out, `${name}.json`)
  if (!existsSync(file)) writeFileSync(file, JSON.stringify(await body()))
  return JSON.parse(readFileSync(file, 'utf8'))
}

function results() {
  const { version } = engineInfo()
  const { train, test } = own
  return {
    machine: {
      cpu: cpus()[0]?.model,
      cores: cpus().length,
      node: process.version,
      libtorch: version,
      threads: THREADS,
    },
    python: { torch: python.torch },
    settings: config,
    data: { classes: own.classes, train: train.length, test: test.length },
    sets: sets.map(({ name, classes, train, test }) => ({
      name,
      classes,
      train: train.length,
      test: test.length,
    })),
    probe: PROBE,
    seeds,
    golden,
    losses: { rates: losses.rates, curves: losses.curves, differences: losses.differences },
    runs,
  }
}
