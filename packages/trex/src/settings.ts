import { z } from 'zod'
import type { CropGroup } from './data/pixels/multiCrop.js'

/** Encoders that can be trained. */
export const ENCODERS = [
  'resnet18',
  'resnet34',
  'resnet50',
  'resnet101',
  'vit_tiny',
  'vit_small',
  'vit_base',
] as const

/** Whether an encoder is a vision transformer. */
export const isViT = (encoder: string): boolean => encoder.startsWith('vit_')

// What each setting means is its description here; the JSON Schema (settings.schema.json) shows it in editors.

const integer = (least: number) =>
  z
    .number()
    .min(least)
    .refine(Number.isSafeInteger, { error: 'expected a whole number' })
    .meta({ type: 'integer' })
const count = integer(1)
const fraction = z.number().min(0).max(1)
const positive = z.number().positive()
const belowOne = z.number().min(0).lt(1)
const nonNegative = z.number().min(0)

const pair = { minItems: 2, maxItems: 2 }
const range = (bound: z.ZodNumber) =>
  z
    .tuple([bound, bound])
    .refine(([min, max]) => min <= max, { error: 'the first number is the larger' })
    .meta(pair)

const augment = z.strictObject({
  ratio: range(positive).describe('Width / height of a crop before it is resized to a square.'),
  flipP: fraction.describe('Probability that a crop is mirrored.'),
  jitterP: fraction.describe('Probability that the colours of a crop change.'),
  brightness: nonNegative.describe('How far the brightness may move from 1, either way.'),
  contrast: nonNegative.describe('How far the contrast may move from 1, either way.'),
  saturation: nonNegative.describe('How far the saturation may move from 1, either way.'),
  hue: z.number().min(0).max(0.5).describe('How far the hue may move, as part of a circle.'),
  grayP: fraction.describe('Probability that a crop becomes grey.'),
  blurSigma: range(positive).describe('Sigma of the Gaussian blur, in pixels.'),
  solarizeThreshold: integer(0).max(256).describe('Values from here on are inverted by a solarisation.'),
  filter: z.enum(['bicubic', 'bilinear']).describe('How crops are resized.'),
})

const crops = z.strictObject({
  count: count.describe('How many such crops of each image.'),
  size: count.describe('Side in pixels.'),
  scale: range(positive.max(1)).describe("Share of the image's area a crop covers."),
  blurP: fraction.describe('Probability that a crop is blurred.'),
  solarizeP: fraction.describe('Probability that a crop is solarised.'),
  /** What these crops have of their own instead of `augment`'s. */
  ...augment.partial().shape,
})

const extraCrops = crops.extend({
  blurP: crops.shape.blurP.default(0),
  solarizeP: crops.shape.solarizeP.default(0),
})

const channels = (bound: z.ZodNumber) => z.tuple([bound, bound, bound]).meta({ minItems: 3, maxItems: 3 })
const normalization = z.strictObject({
  mean: channels(z.number()).describe('Mean of red, green and blue, for values in 0..1.'),
  std: channels(positive).describe('Standard deviation of red, green and blue, for values in 0..1.'),
})

const data = z.strictObject({
  autoOrient: z.boolean().describe('Turn images as their EXIF orientation says.'),
  onBad: z
    .enum(['fail', 'skip'])
    .describe('At an image that cannot be read: end with an error, or go on without it.'),
  maxBad: integer(0).describe('With onBad skip: the most images that may be left out.'),
  shuffleBuffer: count.describe('Images that wait to be drawn from when shards are read from a server.'),
})

const vit = z.strictObject({
  patchSize: count.describe(
    'Side of the square patches that become tokens, in pixels; crop sizes are multiples of it.',
  ),
  pooling: z
    .enum(['class', 'mean'])
    .describe('Features are the class token or the mean of the patch tokens, after the last norm.'),
  dropPath: belowOne.describe(
    'Probability that the last block is left out for an image in training, growing from 0 at the first.',
  ),
})

const projector = z.strictObject({
  layers: integer(0).describe('Hidden layers: L of the paper.'),
  hidden: count.describe('Width of the hidden layers.'),
  bottleneck: count.describe('Dimension of the embedding z.'),
  l2Input: z.boolean().describe('Features are divided by their length first.'),
})

const onlineClassMeans = z.strictObject({
  size: count.describe('Embeddings the memory bank holds: Q of the paper.'),
  emaMomentum: fraction.describe('What the momentum encoder keeps of its weights at each step.'),
})

const optimizer = z.strictObject({
  name: z.enum(['sgd', 'adamw']).describe('What moves the weights.'),
  lr: positive.describe('Peak learning rate for a batch of 256; it scales with the batch.'),
  sgdMomentum: belowOne.describe('Of SGD: what is kept of the last steps.'),
  betas: z
    .tuple([belowOne, belowOne])
    .meta(pair)
    .describe('Of AdamW: what is kept of the averages of gradients and of their squares at each step.'),
  weightDecay: nonNegative.describe('How much weights shrink; biases and norms do not.'),
  weightDecayEnd: nonNegative
    .nullable()
    .describe('What the weight decay moves to, along half a cosine over the run; null: it stays.'),
  clipNorm: positive
    .nullable()
    .describe('Gradients longer than this, over all parameters, are scaled down to it; null: never.'),
  minLr: nonNegative.describe('What the learning rate falls to; it does not scale with the batch.'),
  warmupEpochs: integer(0).describe('Epochs of rising learning rate.'),
})

const validation = z
  .strictObject({
    fraction: z
      .number()
      .min(0)
      .lt(1)
      .describe('Share of the images held out, by class, when the data has no validation part of its own.'),
    resize: count.describe('Side in pixels that the shortest side becomes.'),
    crop: count.describe('Side in pixels of the centred square that is then taken.'),
  })
  .refine(({ resize, crop }) => crop <= resize, { path: ['crop'], error: 'is larger than validation.resize' })

const checkpoints = z.strictObject({
  everySteps: count.nullable().describe('Save after so many steps; null: not by steps.'),
  everyMinutes: positive
    .nullable()
    .describe('Save once so many minutes have passed since the last time; null: not by time.'),
  keepEvery: count
    .nullable()
    .describe('Keep the state after every so many epochs besides the last and the best; null: none.'),
  keep: count.describe('How many of these are kept; older ones are removed.'),
})

const watch = z.strictObject({
  tensorboard: z.boolean().describe('Write TensorBoard event files.'),
  driftEvery: integer(0).describe('Measure how far the prototypes move at every so many steps; 0: never.'),
  spectrumEvery: integer(0).describe(
    'Measure the spectrum of the validation features after every so many epochs; 0: never.',
  ),
})

/** More threads than any machine has cores for would only take its memory. */
const MOST_WORKERS = 256
const workers = z.union([z.literal('auto'), integer(0).max(MOST_WORKERS)], {
  error: `expected a number up to ${MOST_WORKERS} or "auto"`,
})

/** Whether a vision transformer can cut images of these sides into its patches; others take any side. */
function fitsPatches(
  { encoder, vit }: { encoder?: unknown; vit?: { patchSize: number } },
  sizes: readonly (number | undefined)[],
): boolean {
  const patch = vit?.patchSize ?? Number.NaN // what is missing is told elsewhere
  return !isViT(String(encoder)) || !sizes.some((size = Number.NaN) => size % patch > 0)
}

const onGrid = (...path: string[]) => ({
  path,
  error: ({ input }: { input?: unknown }) => {
    const { encoder, vit } = input as { encoder: string; vit: { patchSize: number } }
    return `must be a multiple of vit.patchSize (${vit.patchSize}) with ${encoder}`
  },
  when: () => true,
})

/** Checks settings; every key is required, and no other is allowed. */
export const settingsSchema = z
  .strictObject({
    recipe: z.string().describe('The recipe that all other settings start from.'),
    imageSize: integer(8).describe(
      "Side of the images in pixels that the recipe's crop sizes are scaled for.",
    ),
    encoder: z.enum(ENCODERS).describe('The network that is trained.'),
    stem: z
      .enum(['imagenet', 'small'])
      .describe(
        'First layers of a ResNet: 7x7 stride 2 and max pool, or 3x3 stride 1 without pool (the CIFAR stem).',
      ),
    vit: vit.describe('Of the encoders vit_*; ResNets have none of it.'),
    initFrom: z
      .string()
      .nullable()
      .describe('File or run whose encoder weights training starts from; null: random ones.'),
    globalCrops: crops.describe('The large crops of each image.'),
    localCrops: crops.nullable().describe('The small crops of each image; null: none.'),
    extraCrops: z.array(extraCrops).describe('Groups of crops besides these two.'),
    augment: augment.describe('What is done to every crop that does not say otherwise.'),
    normalization: normalization.describe('Pixel values minus the mean, divided by the deviation.'),
    projector: projector
      .nullable()
      .describe('What lies between features and prototypes in training; null: nothing.'),
    temperature: nonNegative.describe('Tau of the cosine softmax; 0 means plain linear logits.'),
    onlineClassMeans: onlineClassMeans
      .nullable()
      .describe('Prototypes are the class means of a memory bank (Eq. 2); null: learned weights (Eq. 1).'),
    optimizer: optimizer.describe('How the weights learn.'),
    epochs: count.describe('Passes over the images.'),
    batchSize: integer(2).describe('Images a step, over all processes.'),
    accumulate: count.describe(
      'Parts that a batch is computed in, one after the other, to save memory; batch norm sees one part.',
    ),
    seed: integer(0).describe('Decides initial weights, order and crops.'),
    device: z.enum(['auto', 'cpu', 'cuda']).describe('Where to compute; auto: the best there is.'),
    precision: z
      .enum(['auto', 'fp32', 'bf16', 'fp16'])
      .describe('Of the forward pass; auto: bf16 where the device multiplies it, else fp32.'),
    channelsLast: z.boolean().describe('Keep the channels of a pixel together in memory, which is faster.'),
    tf32: z.boolean().describe('CUDA may multiply fp32 matrices with 10 bits of mantissa.'),
    deterministic: z
      .boolean()
      .describe('Use only kernels that give the same bits every time; an error where there is none.'),
    logEvery: z
      .union([z.literal('auto'), count], { error: 'expected a whole number from 1 on or "auto"' })
      .describe('Steps between two looks at the loss; each waits for the device.'),
    checkpoints: checkpoints.describe('When the state of a run is saved.'),
    watch: watch.describe('What is recorded of a run besides its metrics.'),
    workers: workers.describe('Threads that decode and augment.'),
    validation: validation.describe('How images are prepared where nothing is drawn by chance.'),
    data: data.describe('How images are read.'),
  })
  .refine((s) => !(s.optimizer?.warmupEpochs > s.epochs), {
    path: ['optimizer', 'warmupEpochs'],
    error: 'is longer than the run (see epochs)',
    when: () => true,
  })
  .refine((s) => !(s.accumulate > 1 && (s.batchSize % s.accumulate || s.batchSize < 2 * s.accumulate)), {
    path: ['accumulate'],
    error: 'must divide batchSize into parts of at least 2 images',
    when: () => true,
  })
  .refine((s) => !(s.onlineClassMeans && s.temperature === 0), {
    path: ['temperature'],
    error: 'must be above 0 with onlineClassMeans, whose logits are cosines',
    when: () => true,
  })
  .refine((s) => fitsPatches(s, [s.globalCrops?.size]), onGrid('globalCrops', 'size'))
  .refine((s) => fitsPatches(s, [s.localCrops?.size]), onGrid('localCrops', 'size'))
  .refine(
    (s) => fitsPatches(s, Array.isArray(s.extraCrops) ? s.extraCrops.map((c) => c?.size) : []),
    onGrid('extraCrops'),
  )
  .refine((s) => fitsPatches(s, [s.validation?.crop]), onGrid('validation', 'crop'))

/** All settings of a training run. */
export type Settings = z.infer<typeof settingsSchema>

/** The crops of an image as the data pipeline takes them, globals first. */
export function cropGroups({
  augment,
  globalCrops,
  localCrops,
  extraCrops,
}: Pick<Settings, 'augment' | 'globalCrops' | 'localCrops' | 'extraCrops'>): CropGroup[] {
  const groups = [globalCrops, ...(localCrops === null ? [] : [localCrops]), ...extraCrops]
  return groups.map((group) => ({ ...augment, ...group }) as CropGroup)
}
