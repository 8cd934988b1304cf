/** Training steps of t-ReX fed by trex's own loader from JPEG files: decoding, crops, copies, the step. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { tidy } from '../../packages/torch/dist/index.js'
import { openLoader } from '../../packages/trex/dist/data/index.js'
import { cropGroups, trainStep } from '../../packages/trex/dist/index.js'
import { pixelsFor } from '../../packages/trex/dist/method/imageTensor.js'
import { stepInput } from '../../packages/trex/dist/train/batch.js'
import { benchLearner } from './learner.mjs'
import { options, serve } from './serve.mjs'

const settings = options()
const { batch, classes, images, workers } = settings
const learner = benchLearner(settings)
const groups = cropGroups(settings)
const counts = groups.map(({ count }) => count)
const target = { precision: learner.precision, channelsLast: settings.layout === 'channels_last' }

const names = readdirSync(images).filter((name) => /\.jpe?g$/i.test(name))
const samples = Array.from({ length: 100 * batch }, (_, i) => ({
  path: join(images, names[i % names.length]),
  label: i % classes,
}))
const pixels = pixelsFor(settings.device)
const loader = openLoader({ samples, groups, batchSize: batch, workers, pixels })

async function* batches() {
  for (let epoch = 0; ; epoch++) yield* loader.epoch(epoch)
}
const endless = batches()

async function step() {
  const { value } = await endless.next()
  const taken = /** @type {import('../../packages/trex/dist/data/index.js').Batch} */ (value)
  const loss = tidy(() => trainStep(learner, stepInput(taken, counts, target), settings.lr).loss.item())
  taken.release()
  return loss
}

await serve(settings, step)
process.exit(0) // the workers stay otherwise
