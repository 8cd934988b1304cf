import { isViT, type Settings } from './settings.js'

/** t-ReX: online class means and a projector of 3 hidden layers; for the best transfer. */
export const TREX = {
  recipe: 'trex',
  imageSize: 224,
  encoder: 'resnet50',
  stem: 'imagenet',
  vit: { patchSize: 16, pooling: 'class', dropPath: 0 },
  initFrom: null,
  globalCrops: { count: 1, size: 224, scale: [0.25, 1], blurP: 0.2, solarizeP: 0.2 },
  localCrops: { count: 8, size: 96, scale: [0.05, 0.25], blurP: 0.5, solarizeP: 0 },
  extraCrops: [],
  augment: {
    ratio: [3 / 4, 4 / 3],
    flipP: 0.5,
    jitterP: 0.8,
    brightness: 0.4,
    contrast: 0.4,
    saturation: 0.2,
    hue: 0.1,
    grayP: 0.2,
    blurSigma: [0.1, 2],
    solarizeThreshold: 128,
    filter: 'bicubic',
  },
  normalization: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  projector: { layers: 3, hidden: 2048, bottleneck: 256, l2Input: true },
  temperature: 0.1,
  onlineClassMeans: { size: 8192, emaMomentum: 0.999 },
  optimizer: {
    name: 'sgd',
    lr: 0.1,
    sgdMomentum: 0.9,
    betas: [0.9, 0.999],
    weightDecay: 1e-4,
    weightDecayEnd: null,
    clipNorm: null,
    minLr: 1e-6,
    warmupEpochs: 10,
  },
  epochs: 100,
  batchSize: 256,
  accumulate: 1,
  seed: 22,
  device: 'auto',
  precision: 'auto',
  channelsLast: true,
  tf32: true,
  deterministic: false,
  logEvery: 'auto',
  checkpoints: { everySteps: null, everyMinutes: 15, keepEvery: null, keep: 3 },
  watch: { tensorboard: true, driftEvery: 0, spectrumEvery: 0 },
  workers: 'auto',
  validation: { fraction: 0.1, resize: 256, crop: 224 },
  data: { autoOrient: false, onBad: 'fail', maxBad: 100, shuffleBuffer: 1000 },
} satisfies Settings

/** t-ReX*: online class means and a projector of 1 hidden layer; for the best training task. */
export const TREX_STAR = {
  ...TREX,
  recipe: 'trex-star',
  globalCrops: { ...TREX.globalCrops, scale: [0.4, 1] },
  localCrops: { ...TREX.localCrops, scale: [0.05, 0.4] },
  projector: { ...TREX.projector, layers: 1 },
} satisfies Settings

/** t-ReX with learned class weights (Eq. 1). */
export const TREX_PLAIN_3 = { ...TREX, recipe: 'trex-plain-3', onlineClassMeans: null } satisfies Settings

/** t-ReX* with learned class weights (Eq. 1). */
export const TREX_PLAIN_1 = {
  ...TREX_STAR,
  recipe: 'trex-plain-1',
  onlineClassMeans: null,
} satisfies Settings

/**
 * Plain supervised training, to compare with: one crop of 8 to 100 % of the image, a linear classifier on the
 * features and softmax cross-entropy. Augmentation and optimizer are those of the other recipes.
 */
export const SUPERVISED = {
  ...TREX,
  recipe: 'supervised',
  globalCrops: { ...TREX.globalCrops, scale: [0.08, 1] },
  localCrops: null,
  projector: null,
  temperature: 0,
  onlineClassMeans: null,
} satisfies Settings

/** All recipes by name. */
export const RECIPES: ReadonlyMap<string, Settings> = new Map(
  [TREX, TREX_STAR, TREX_PLAIN_3, TREX_PLAIN_1, SUPERVISED].map((recipe): [string, Settings] => [
    recipe.recipe,
    recipe,
  ]),
)

/** Images up to this side keep their resolution through the first layers. */
const SMALL_STEM_SIDE = 64

/** Patches of a vision transformer by the image side from which on they are used, in pixels. */
const PATCH_SIZES = [
  { from: 160, patchSize: 16 },
  { from: 64, patchSize: 8 },
  { from: 0, patchSize: 4 },
] as const

/**
 * A recipe for 224 px images at another image side: global crops have that side, local crops 3/7 of it (96 /
 * 224), rounded to a multiple of 8, the largest blur is in proportion, and the stem is the small one up to 64
 * px. Patches are of 16 px from a side of 160 px on, of 8 px from 64 px on and of 4 px below. Validation takes
 * 7/8 of the side (224 / 256) in the middle, and the whole image up to 64 px.
 */
export function atImageSize(recipe: Settings, size: number): Settings {
  if (size === recipe.imageSize) return recipe
  const small = size <= SMALL_STEM_SIDE
  const [sharpest, softest] = recipe.augment.blurSigma
  return {
    ...recipe,
    imageSize: size,
    stem: small ? 'small' : 'imagenet',
    vit: { ...recipe.vit, patchSize: PATCH_SIZES.find(({ from }) => size >= from)!.patchSize },
    globalCrops: { ...recipe.globalCrops, size },
    localCrops: recipe.localCrops && {
      ...recipe.localCrops,
      size: Math.max(8, 8 * Math.round((size * 3) / 56)),
    },
    augment: {
      ...recipe.augment,
      blurSigma: [sharpest, Math.max(sharpest, (softest * size) / recipe.imageSize)],
    },
    validation: { ...recipe.validation, resize: small ? size : Math.round((size * 8) / 7), crop: size },
  }
}

/** What AdamW starts from: DINO's settings, the learning rate for a batch of 256. */
const ADAMW = {
  ...TREX.optimizer,
  name: 'adamw',
  lr: 5e-4,
  betas: [0.9, 0.999],
  weightDecay: 0.04,
  weightDecayEnd: 0.4,
  clipNorm: 3,
  minLr: 1e-6,
  warmupEpochs: 10,
} satisfies Settings['optimizer']

/**
 * A recipe with another encoder. Vision transformers start with AdamW, and their local crops are rounded to a multiple
 * of the patch, which is `patchSize` or the recipe's; with `optimizer` the settings are that optimizer's, whatever the
 * encoder.
 */
export function atEncoder(
  recipe: Settings,
  encoder: Settings['encoder'],
  given: { optimizer?: Settings['optimizer']['name'] | undefined; patchSize?: number | undefined } = {},
): Settings {
  const { localCrops, vit } = recipe
  const { optimizer = isViT(encoder) ? 'adamw' : recipe.optimizer.name, patchSize = vit.patchSize } = given
  const patches = (size: number) => patchSize * Math.max(1, Math.round(size / patchSize))
  return {
    ...recipe,
    encoder,
    vit: { ...vit, patchSize },
    localCrops: localCrops && isViT(encoder) ? { ...localCrops, size: patches(localCrops.size) } : localCrops,
    optimizer: optimizer === 'adamw' ? ADAMW : recipe.optimizer,
  }
}
