/** One t-ReX training step (online class means): the very `trainStep` of `trex train`. */
import { randint, randn, tidy } from '../../packages/torch/dist/index.js'
import { createLearner, trainStep } from '../../packages/trex/dist/index.js'
import { options, serve } from './serve.mjs'
import { placement } from './training.mjs'

const settings = options()
const { arch, batch, classes, bank, layers, hidden, bottleneck, device, seed } = settings
const precision = { device, dtype: settings.dtype === 'bf16' ? /** @type {const} */ ('bfloat16') : null }
const learner = createLearner(
  {
    encoder: arch,
    stem: 'imagenet',
    vit: { patchSize: 16, pooling: 'class', dropPath: 0 },
    globalCrops: { size: settings.globalSize },
    projector: { layers, hidden, bottleneck, l2Input: true },
    temperature: settings.temperature,
    onlineClassMeans: { size: bank, emaMomentum: settings.emaMomentum },
    optimizer: { name: 'sgd', lr: 0.1, sgdMomentum: 0.9, weightDecay: 1e-4, minLr: 1e-6, warmupEpochs: 10 },
    channelsLast: settings.layout === 'channels_last',
    seed,
  },
  classes,
  precision,
)

// One tensor a resolution, as the loader hands them over.
const groups = [
  [1, settings.globalSize],
  [settings.localCrops, settings.localSize],
]
const crops = tidy(() =>
  groups.map(([count, size]) => randn([count * batch, 3, size, size]).to(placement(settings))),
)
const labels = tidy(() => randint(0, classes, [batch]).to({ device }))

await serve(settings, () => tidy(() => trainStep(learner, { crops, labels }, settings.lr).loss.item()))
