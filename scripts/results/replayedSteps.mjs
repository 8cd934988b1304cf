/** The same training steps in trex and in PyTorch: equal initial weights, equal batches, equal rates. */
import { execFile } from 'node:child_process'
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { tidy } from '../../packages/torch/dist/index.js'
import { openLoader } from '../../packages/trex/dist/data/index.js'
import {
  createLearner,
  cropGroups,
  disposeLearner,
  restoreLearner,
  trainStep,
} from '../../packages/trex/dist/index.js'
import { stepInput } from '../../packages/trex/dist/train/batch.js'

const run = promisify(execFile)
const precision = /** @type {const} */ ({ device: 'cpu', dtype: null })

/** @typedef {import('../../packages/trex/dist/index.js').Settings} Settings */

/**
 * Writes the first `steps` batches of a training run: labels as int64, then each group of crops as float32.
 * @param {string} path
 * @param {{ samples: any, settings: Settings, steps: number }} options
 */
export async function writeBatches(path, { samples, settings, steps }) {
  const { batchSize, seed, normalization } = settings
  const groups = cropGroups(settings)
  const loader = openLoader({
    ...{ samples, groups, batchSize, seed, normalization, workers: 1 },
    ...{ decode: { autoOrient: false }, cacheBytes: 256 << 20 },
  })
  const file = openSync(path, 'w')
  try {
    for (let step = 0; step < steps; ) {
      for await (const { labels, crops, release } of loader.epoch(Math.floor(step / loader.batches))) {
        for (const part of [labels, ...crops]) writeSync(file, part)
        release()
        if (++step === steps) break
      }
    }
  } finally {
    closeSync(file)
    await loader.close()
  }
  return loader.batches
}

/**
 * The loss of every step in trex.
 * @param {{ settings: Settings, classes: number, state: string, batches: string, rates: number[], dtype: 'float32' | 'float64' }} job
 */
export function trexLosses({ settings, classes, state, batches, rates, dtype }) {
  const learner = createLearner(settings, classes, precision)
  restoreLearner(state, learner)
  if (dtype === 'float64') for (const part of [learner.model, learner.prototypes]) part.to({ dtype })
  const { batchSize: size, channelsLast } = settings
  const groups = cropGroups(settings)
  const counts = groups.map(({ count }) => count)
  const labels = new BigInt64Array(size)
  const crops = groups.map((group) => new Float32Array(group.count * size * 3 * group.size ** 2))
  const file = openSync(batches, 'r')
  try {
    return rates.map((lr) => {
      for (const part of [labels, ...crops]) readSync(file, part)
      return tidy(() => {
        const input = stepInput(/** @type {any} */ ({ size, labels, crops }), counts, {
          precision,
          channelsLast,
        })
        const exact = { ...input, crops: input.crops.map((x) => x.to(dtype)) }
        return trainStep(learner, exact, lr).loss.item()
      })
    })
  } finally {
    closeSync(file)
    disposeLearner(learner)
  }
}

/**
 * The loss of every step in PyTorch.
 * @param {string} python
 * @param {string} script
 * @param {Parameters<typeof trexLosses>[0] & { threads: number }} job
 */
export async function torchLosses(python, script, job) {
  const { stdout } = await run(python, [script, JSON.stringify(job)], { maxBuffer: 1 << 24 })
  return stdout.trim().split('\n').map(Number)
}

/**
 * |a - b| / |b| of every step.
 * @param {number[]} a
 * @param {number[]} b
 */
export const relativeDifferences = (a, b) => a.map((value, i) => Math.abs(value - b[i]) / Math.abs(b[i]))
