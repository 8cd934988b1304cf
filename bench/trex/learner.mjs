/** The learner of a benchmark's settings: online class means over the encoder that `arch` names. */
import { createLearner } from '../../packages/trex/dist/index.js'
import { DTYPES } from './training.mjs'

/** @param {Record<string, any>} settings */
export function benchLearner({ arch, classes, bank, layers, hidden, bottleneck, device, seed, ...settings }) {
  const dtype = DTYPES[/** @type {keyof typeof DTYPES} */ (settings.dtype)]
  return createLearner(
    {
      encoder: arch,
      stem: 'imagenet',
      vit: { patchSize: 16, pooling: 'class', dropPath: 0 },
      globalCrops: { size: settings.globalSize },
      projector: { layers, hidden, bottleneck, l2Input: true },
      temperature: settings.temperature,
      onlineClassMeans: { size: bank, emaMomentum: settings.emaMomentum },
      optimizer: {
        name: 'sgd',
        lr: 0.1,
        sgdMomentum: 0.9,
        weightDecay: 1e-4,
        minLr: 1e-6,
        warmupEpochs: 10,
      },
      channelsLast: settings.layout === 'channels_last',
      seed,
    },
    classes,
    { device, dtype },
  )
}
