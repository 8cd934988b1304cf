import { resolveSettings } from '../config.js'
import type { Settings } from '../settings.js'

/** A model of the demo: what it is called and how it is trained. */
export interface DemoModel {
  name: 'trex' | 'supervised'
  label: string
  settings: Settings
}

/** What the demo changes in both recipes, to end within minutes on two cores. */
const small = {
  encoder: 'resnet18',
  imageSize: 48,
  stem: 'imagenet',
  epochs: 60,
  batchSize: 32,
  optimizer: { lr: 0.2, weightDecay: 1e-4, warmupEpochs: 4 },
  validation: { resize: 48, crop: 48 },
} as const

/** t-ReX and its plain-supervised counterpart, small; `epochs` shortens or lengthens both. */
export function demoModels(
  images: number,
  { epochs = small.epochs, seed = 22 }: { epochs?: number | undefined; seed?: number | undefined } = {},
): DemoModel[] {
  const shared = { ...small, epochs, seed, batchSize: Math.max(2, Math.min(small.batchSize, images)) }
  const warmupEpochs = Math.min(small.optimizer.warmupEpochs, Math.max(0, shared.epochs - 1))
  const flags = { ...shared, optimizer: { ...small.optimizer, warmupEpochs } }
  return [
    {
      name: 'trex',
      label: 't-ReX',
      settings: resolveSettings({
        recipe: 'trex',
        flags: {
          ...flags,
          // A drawing stands small on an empty ground: a crop of a twentieth, as on photographs, would show none of it.
          globalCrops: { scale: [0.4, 1] },
          localCrops: { count: 4, size: 24, scale: [0.15, 0.5] },
          projector: { hidden: 512, bottleneck: 128 },
          // A short run needs a memory that follows quickly: after 900 steps 0.999 would still hold 40 % of the start.
          onlineClassMeans: { size: 2048, emaMomentum: 0.98 },
        },
      }),
    },
    { name: 'supervised', label: 'Supervised', settings: resolveSettings({ recipe: 'supervised', flags }) },
  ]
}
