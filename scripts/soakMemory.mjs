/**
 * Trains a small convolutional net and watches memory: the number of live tensors must not change after step 20,
 * the resident memory not grow by 1 % over the last three quarters of the run (by 10 % in a run of less than 2000
 * steps, in which Node's own heap still warms up). Exit code 1 otherwise.
 *
 *   node scripts/soakMemory.mjs [STEPS, by default 2000]
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import {
  autocast,
  BatchNorm2d,
  Conv2d,
  F,
  Flatten,
  Linear,
  liveTensors,
  MaxPool2d,
  manualSeed,
  ReLU,
  randint,
  randn,
  Sequential,
  SGD,
  tidy,
  trimMemory,
} from '../packages/torch/dist/index.js'

const steps = Number(process.argv[2] ?? 2000)
const settled = 20
const from = Math.ceil(steps / 4)
const limit = steps >= 2000 ? 1 : 10 // per cent

// The threads in which V8 compiles have malloc arenas of their own, which fill by some MiB in the first thousand
// steps: more than the 1 % looked for, and none of the engine's.
const flag = '--single-threaded'
if (!process.execArgv.includes(flag)) {
  const args = [flag, fileURLToPath(import.meta.url), ...process.argv.slice(2)]
  process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1)
}

manualSeed(0)
const block = (input, output) => [
  new Conv2d(input, output, 3),
  new BatchNorm2d(output),
  new ReLU(true),
  new MaxPool2d(2),
]
const model = new Sequential(...block(3, 16), ...block(16, 32), new Flatten(), new Linear(32 * 2 * 2, 10))
const optimizer = new SGD(model.parameters(), { lr: 0.01, momentum: 0.9, weightDecay: 1e-4 })

function step() {
  return tidy(() => {
    const x = randn([8, 3, 16, 16])
    const labels = randint(0, 10, [8])
    // The intermediates of the forward pass are gone before backward, which frees activations as it goes.
    const loss = tidy(() => autocast({}, () => F.crossEntropy(model.forward(x), labels)))
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
    return loss.item()
  })
}

/** Resident memory without the free pages that malloc holds back. */
function mebibytes() {
  globalThis.gc?.()
  trimMemory()
  return process.memoryUsage.rss() / 2 ** 20
}

let live = 0
let start = 0
const changes = []
for (let i = 1; i <= steps; i++) {
  const loss = step()
  if (!Number.isFinite(loss)) throw new Error(`the loss of step ${i} is ${loss}`)
  if (i === settled) live = liveTensors()
  if (i > settled && liveTensors() !== live) changes.push(`${liveTensors()} at step ${i}`)
  if (i === from) start = mebibytes()
  if (i % 50 === 0) await new Promise((done) => setImmediate(done)) // lets finalizers run, as a real loop does
}
const end = mebibytes()
const growth = (end / start - 1) * 100

console.log(
  `live tensors: ${changes.length ? `${live}, then ${changes.slice(0, 5).join(', ')}` : `constant, ${live}`}`,
)
console.log(
  `resident memory: ${start.toFixed(1)} MiB at step ${from}, ${end.toFixed(1)} MiB at step ${steps}: ${growth.toFixed(2)} %`,
)
const failed = changes.length > 0 || growth >= limit
if (failed) console.error('memory grows')
process.exitCode = failed ? 1 : 0
