/** The runs that killSweep.mjs kills, and what it compares of them. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { openSafetensors } from '../../packages/torch/dist/safetensors.js'

const trex = fileURLToPath(new URL('../../packages/trex/bin/trex.cjs', import.meta.url))
const faultyFs = fileURLToPath(new URL('../../packages/trex/test/support/faultyFs.cjs', import.meta.url))

export const EPOCHS = 4

/** Flags of a small t-ReX run of 4 epochs of 6 steps, with a checkpoint every 3 steps and after each epoch. */
export const stepsOf = () => [
  ...['--recipe', 'trex', '--encoder', 'resnet18', '--image-size', '32', '--batch-size', '8'],
  ...['--epochs', String(EPOCHS), '--warmup-epochs', '1', '--workers', '1', '--val-fraction', '0.5'],
  ...[
    ...['stem=imagenet', 'localCrops.count=2', 'projector.hidden=32', 'projector.bottleneck=16'],
    ...['onlineClassMeans.size=64', 'watch.driftEvery=2', 'watch.spectrumEvery=2'],
    ...['checkpoints.everySteps=3', 'checkpoints.keepEvery=1', 'checkpoints.keep=2'],
  ].flatMap((setting) => ['--set', setting]),
]

/** JPEGs of four kinds of texture, 24 a class. */
export async function makeImages(root) {
  for (let kind = 0; kind < 4; kind++) {
    await mkdir(join(root, `class${kind}`), { recursive: true })
    for (let i = 0; i < 24; i++) {
      const pixels = Buffer.alloc(40 * 40 * 3)
      for (let p = 0; p < pixels.length; p++)
        pixels[p] =
          128 + 100 * Math.sin((p / 3) * (0.05 + 0.11 * kind) + i) + 20 * Math.sin(p * 12.9898 * (i + 1))
      const raw = { width: 40, height: 40, channels: 3 }
      await sharp(pixels, { raw })
        .jpeg()
        .toFile(join(root, `class${kind}`, `${i}.jpg`))
    }
  }
}

const countRows = (run) => {
  const path = join(run, 'metrics.jsonl')
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0
}

/**
 * Runs `trex train`; with `fault` a file operation kills it, with `afterRows` it is killed once metrics.jsonl has so many
 * rows. Rejects when it ends in another way than well or killed.
 */
export function trexRun(args, { run, fault, afterRows }) {
  const env = { ...process.env, OMP_NUM_THREADS: '1' }
  if (fault) Object.assign(env, { NODE_OPTIONS: `--require ${faultyFs}`, TREX_FAULT: JSON.stringify(fault) })
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [trex, 'train', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env,
    })
    let errors = ''
    child.stderr.on('data', (text) => {
      errors += text
    })
    const watch = setInterval(() => {
      if (afterRows !== undefined && countRows(run) >= afterRows) child.kill('SIGKILL')
    }, 2)
    child.on('exit', (code, signal) => {
      clearInterval(watch)
      if (code === 0 || signal === 'SIGKILL') resolve({ killed: signal === 'SIGKILL', rows: countRows(run) })
      else reject(new Error(`trex train ${args.join(' ')} ended with ${code ?? signal}: ${errors}`))
    })
  })
}

/** The rows of a run's metrics. */
export const rowsOf = (run) =>
  readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))

/** Where a run would go on: `epoch E, batch B`; null without a checkpoint. */
export function startOf(run) {
  const path = join(run, 'checkpoints/last.safetensors')
  if (!existsSync(path)) return null
  const { epoch, batch } = stateOf(path).position
  return `epoch ${epoch}, batch ${batch}`
}

function stateOf(path) {
  const file = openSafetensors(path)
  file.close()
  return JSON.parse(file.metadata.state)
}

/** SHA-256 of all that two runs must have in common, by name: tensors, states and rows without times. */
export function contentsOf(run) {
  const parts = new Map()
  const hash = (data) => createHash('sha256').update(data).digest('hex')
  let tensors = 0
  for (const name of readdirSync(join(run, 'checkpoints'))) {
    const path = join(run, 'checkpoints', name)
    const file = openSafetensors(path)
    for (const tensor of file.entries.keys()) {
      if (tensor.includes('sha256')) continue // the checksum, which is also of the times
      parts.set(`${name} ${tensor}`, hash(file.read(tensor).data))
      tensors++
    }
    file.close()
    const state = stateOf(path)
    Object.assign(state.position, { metricsBytes: 0 }) // rows differ in length with their times
    Object.assign(state.position.totals, { seconds: 0, waited: 0 })
    parts.set(`${name} state`, JSON.stringify(state))
  }
  const rows = rowsOf(run)
  for (const [i, { imagesPerSecond, dataWait, seconds, ...row }] of rows.entries())
    parts.set(`row ${i + 1}`, JSON.stringify(row))
  return { parts, tensors, rows }
}
