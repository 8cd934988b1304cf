/**
 * Trains a small t-ReX run for many epochs and watches it: resident memory must not grow by 2 % from epoch 6 to the end
 * (by then all has happened once: the spectrum is taken every 5 epochs), and the time of an epoch must be within 5 % of
 * that of its steps alone, so that images are ready when they are wanted.
 *
 *   node scripts/soakEpochs.mjs [DATA] [--epochs 20] [--set key=value ...]
 *
 * Without DATA it makes 96 images, whose epochs are too short to say much of time. Of memory epochs of 3 s say little: V8's
 * young generation and compilers take what they need in the first half minute. 3,000 images are enough. Exit code 1 when either is missed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { liveTensors } from '../packages/torch/dist/index.js'
import {
  createRun,
  describeData,
  disposeLearner,
  readImageDataset,
  resolveSettings,
  train,
} from '../packages/trex/dist/index.js'
import { makeImages } from './killSweep/runs.mjs'

const { values, positionals } = parseArgs({
  options: {
    epochs: { type: 'string', default: '20' },
    set: { type: 'string', multiple: true, default: [] },
  },
  allowPositionals: true,
})
const SETTLED = 6
const dir = mkdtempSync(join(tmpdir(), 'trex-epochs-'))
const data = positionals[0] ?? join(dir, 'images')

try {
  if (positionals.length === 0) await makeImages(data)
  const settings = resolveSettings({
    recipe: 'trex',
    flags: { encoder: 'resnet18', imageSize: 64, epochs: Number(values.epochs), batchSize: 32 },
    sets: [
      ...['stem=imagenet', 'localCrops.count=2', 'projector.hidden=256', 'projector.bottleneck=64'],
      ...[
        'onlineClassMeans.size=256',
        'optimizer.warmupEpochs=2',
        'watch.driftEvery=10',
        'watch.spectrumEvery=5',
      ],
      ...values.set,
    ],
  })
  const images = await readImageDataset(data, { valFraction: 0.1, seed: 1 })
  const run = createRun(join(dir, 'run'), settings, describeData('train', data, images))
  const epochs = []
  let [waited, work, since] = [0, 0, performance.now()]
  const events = train(run, images)
  for (;;) {
    const { value: event, done } = await events.next()
    if (done) {
      disposeLearner(event)
      break
    }
    if (event.kind === 'step') {
      const seconds = event.images / event.imagesPerSecond
      waited += seconds * event.dataWait
      work += seconds * (1 - event.dataWait)
    }
    if (event.kind !== 'epoch') continue
    const mib = process.memoryUsage.rss() / 2 ** 20
    const [ratio, now] = [(waited + work) / work, performance.now()]
    epochs.push({ mib, ratio, live: liveTensors() })
    console.log(
      `epoch ${event.epoch + 1}: ${mib.toFixed(1)} MiB, ${liveTensors()} live tensors, ` +
        `${(waited + work).toFixed(2)} s for ${work.toFixed(2)} s of steps (${ratio.toFixed(3)}), ` +
        `${((now - since) / 1000).toFixed(2)} s with validation and checkpoint`,
    )
    ;[waited, work, since] = [0, 0, now]
  }
  const settled = epochs.slice(SETTLED - 1)
  if (settled.length < 2) throw new Error(`at least ${SETTLED + 1} epochs are needed`)
  const growth = 100 * (settled.at(-1).mib / settled[0].mib - 1)
  const ratios = epochs.map(({ ratio }) => ratio).sort((a, b) => a - b)
  const median = ratios[ratios.length >> 1]
  const constant = new Set(settled.map(({ live }) => live)).size === 1
  console.log(
    `resident memory ${growth.toFixed(2)} % from epoch ${SETTLED}, live tensors ${constant ? 'constant' : 'CHANGE'}, ` +
      `epochs / steps ${median.toFixed(3)} (median)`,
  )
  process.exitCode = growth < 2 && median < 1.05 && constant ? 0 : 1
} finally {
  rmSync(dir, { recursive: true, force: true })
}
