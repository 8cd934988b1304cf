/**
 * Runs 2,000 t-ReX steps (online class means) of a small model and watches memory: the number of live tensors must not
 * change after step 20, nor the resident memory grow by 1 % between step 500 and step 2,000. Exit code 1 otherwise.
 */
import { liveTensors, randint, randn, setNumThreads, tidy } from '../packages/torch/dist/index.js'
import { createLearner, resolveSettings, trainStep } from '../packages/trex/dist/index.js'

const steps = 2000
const batch = 4
setNumThreads(1)
const settings = resolveSettings({
  recipe: 'trex',
  flags: {
    encoder: 'resnet18',
    imageSize: 32,
    stem: 'imagenet',
    projector: { hidden: 64, bottleneck: 32 },
    onlineClassMeans: { size: 256 },
  },
})
const learner = createLearner(settings, 10, { device: 'cpu', dtype: null })
const images = (count, size) => randn([count * batch, 3, size, size]).to({ memoryFormat: 'channelsLast' })
const crops = tidy(() => [images(1, 32), images(2, 16)])
const labels = tidy(() => randint(0, 10, [batch]))

const live = new Set()
let settled = 0
for (let step = 1; step <= steps; step++) {
  tidy(() => trainStep(learner, { crops, labels }, 0.001).loss.item())
  if (step >= 20) live.add(liveTensors())
  if (step === 500) settled = process.memoryUsage.rss()
  if (step % 500 === 0)
    console.log(
      `step ${step}: ${liveTensors()} live tensors, ${(process.memoryUsage.rss() / 2 ** 20).toFixed(1)} MiB`,
    )
}
const growth = 100 * (process.memoryUsage.rss() / settled - 1)
console.log(
  `live tensors from step 20: ${live.size === 1 ? 'constant' : [...live]}; resident memory ${growth.toFixed(2)} %`,
)
process.exitCode = live.size === 1 && growth < 1 ? 0 : 1
