/** The benchmarks: what each side computes, and how the rounds are cut. Plain data. */

/**
 * @typedef {object} Benchmark
 * @property {string} about
 * @property {'step' | 'plain' | 'opcost' | 'extract' | 'embed' | 'endToEnd'} script the program of both sides: trex/SCRIPT.mjs, peers/SCRIPT.py
 * @property {Record<string, unknown>} settings given to both sides
 * @property {string[]} sides the first is the one that the others are compared with
 * @property {string[]} smokeSides the sides of its tiny version
 * @property {number} pairs rounds; every side takes one turn a round
 * @property {number} steps steps a turn
 * @property {number} warmup untimed steps of every side before the first round
 */

const training = { device: 'cpu', threads: 2, seed: 22, lr: 0.003, classes: 1000 }
const ocm = { ...training, layers: 3, temperature: 0.1, emaMomentum: 0.999 }

/** @type {Record<string, Benchmark>} */
export const BENCHMARKS = {
  step: {
    about: 'one t-ReX step (online class means, L = 3): 1 x 224 + 8 x 96 px crops, batch 8',
    script: 'step',
    settings: {
      ...ocm,
      arch: 'resnet50',
      batch: 8,
      globalSize: 224,
      localSize: 96,
      localCrops: 8,
      hidden: 2048,
      bottleneck: 256,
      bank: 8192,
    },
    sides: ['trex:bf16-cl', 'torch:fp32', 'torch:bf16'],
    smokeSides: ['trex:fp32', 'torch:fp32'],
    pairs: 5,
    steps: 1,
    warmup: 2,
  },
  small: {
    about: 'the same step with small images: ResNet-18, 1 x 64 + 4 x 32 px crops, batch 64',
    script: 'step',
    settings: {
      ...ocm,
      arch: 'resnet18',
      batch: 64,
      globalSize: 64,
      localSize: 32,
      localCrops: 4,
      hidden: 512,
      bottleneck: 128,
      bank: 1024,
    },
    sides: ['trex:bf16-cl', 'torch:fp32', 'torch:bf16'],
    smokeSides: ['trex:fp32-cl'],
    pairs: 9,
    steps: 3,
    warmup: 3,
  },
  plain: {
    about: 'one plain supervised step, ResNet-50, 224 px, batch 16; peak memory',
    script: 'plain',
    settings: { ...training, arch: 'resnet50', batch: 16, globalSize: 224 },
    sides: ['trex:fp32-cl', 'torch:fp32'],
    smokeSides: ['trex:fp32', 'torch:fp32'],
    pairs: 5,
    steps: 1,
    warmup: 1,
  },
  opcost: {
    about: 'cost of one operator call: adding two one-element tensors, 200,000 calls',
    script: 'opcost',
    settings: { device: 'cpu', threads: 2, seed: 22, calls: 10_000 },
    sides: ['trex:fp32', 'torch:fp32'],
    smokeSides: ['trex:fp32', 'torch:fp32'],
    pairs: 20,
    steps: 1,
    warmup: 5,
  },
  memory: {
    about: 'soak: 2,000 t-ReX steps of a small model; live tensors and resident memory over time',
    script: 'step',
    settings: {
      ...ocm,
      arch: 'resnet18',
      classes: 10,
      batch: 4,
      globalSize: 32,
      localSize: 16,
      localCrops: 2,
      hidden: 64,
      bottleneck: 32,
      bank: 256,
    },
    sides: ['trex:fp32'],
    smokeSides: ['trex:fp32'],
    pairs: 20,
    steps: 100,
    warmup: 0,
  },
}

/**
 * The tiny version of a benchmark: seconds, to see that everything runs. Its times mean nothing.
 * @param {Benchmark} benchmark
 * @returns {Benchmark}
 */
export function smoke(benchmark) {
  const images = { arch: 'resnet18', batch: 2, globalSize: 48, localSize: 32, localCrops: 2 }
  const head = { hidden: 64, bottleneck: 32, bank: 64, classes: 10 }
  const tiny = benchmark.script === 'opcost' ? { calls: 1000 } : { ...images, ...head }
  return {
    ...benchmark,
    settings: { ...benchmark.settings, ...tiny },
    sides: benchmark.smokeSides,
    pairs: 2,
    steps: 2,
    warmup: 1,
  }
}
