/** Runs of `trex train` that are done once: finished ones are kept, stopped ones resumed. */
import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  createLearner,
  disposeLearner,
  openRun,
  readMetrics,
  resolvePrecision,
  restoreLearner,
} from '../../packages/trex/dist/index.js'

const trex = fileURLToPath(new URL('../../packages/trex/dist/cli/main.js', import.meta.url))

/**
 * @param {string} dir the run folder
 * @param {string} data
 * @param {{ epochs: number } & Record<string, unknown>} config settings over those of its recipe
 * @param {number} seed
 */
export async function trainRun(dir, data, config, seed) {
  if (existsSync(join(dir, 'config.yaml'))) {
    if (epochRows(dir).length === config.epochs) return
    return train(['--resume', dir])
  }
  const file = `${dir}.json`
  writeFileSync(file, JSON.stringify(config))
  await train([data, '--config', file, '--seed', String(seed), '--out', dir])
}

/** @param {string[]} args */
async function train(args) {
  await runChild(process.execPath, [trex, 'train', ...args])
}

/**
 * A child process that must end well; its output is shown.
 * @param {string} command
 * @param {string[]} args
 */
export async function runChild(command, args) {
  const child = spawn(command, args, { stdio: 'inherit' })
  const code = await new Promise((done) => child.on('close', done))
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`)
}

/** The rows of a run's epochs. @param {string} dir @returns {any[]} */
export function epochRows(dir) {
  return readMetrics(openRun(dir)).filter(({ kind }) => kind === 'epoch')
}

/**
 * What body makes of a finished run's encoder.
 * @template T
 * @param {string} dir
 * @param {(encoder: import('../../packages/trex/dist/method/index.js').Encoder, precision: any) => Promise<T>} body
 */
export async function withEncoder(dir, body) {
  const { settings, data } = openRun(dir)
  const precision = resolvePrecision(settings)
  const learner = createLearner(settings, data.classes.length, precision)
  try {
    restoreLearner(join(dir, 'checkpoints/last.safetensors'), learner)
    return await body(learner.model.encoder, precision)
  } finally {
    disposeLearner(learner)
  }
}
