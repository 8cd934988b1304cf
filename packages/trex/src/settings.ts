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

const integer = (least: number) =>
  z.number().min(least).refine(Number.isSafeInteger, { error: 'expected a whole number' })
const count = integer(1)
const fraction = z.number().min(0).max(1)
const positive = z.number().positive()
const nonNegative = z.number().min(0)

const range = (bound: z.ZodNumber) =>
  z.tuple([bound, bound]).refine(([min, max]) => min <= max, { error: 'the first number is the larger' })

const augment = z.strictObject({
  /** Width / height of a crop before it is resized to a square. */
  ratio: range(positive),
  flipP: fraction,
  jitterP: fraction,
  brightness: nonNegative,
  contrast: nonNegative,
  saturation: nonNegative,
  /** Part of a circle. */
  hue: z.number().min(0).max(0.5),
  grayP: fraction,
  /** Pixels. */
  blurSigma: range(positive),
  /** Values from here on are inverted by a solarisation. */
  solarizeThreshold: integer(0).max(256),
  /** How crops are resized. */
  filter: z.enum(['bicubic', 'bilinear']),
})

const crops = z.strictObject({
  count,
  /** Side in pixels. */
  size: count,
  /** Share of the image's area a crop covers. */
  scale: range(positive.max(1)),
  blurP: fraction,
  solarizeP: fraction,
  /** What these crops have of their own instead of `augment`'s. */
  ...augment.partial().shape,
})

const extraCrops = crops.extend({ blurP: fraction.default(0), solarizeP: fraction.default(0) })

const channels = (bound: z.ZodNumber) => z.tuple([bound, bound, bound])
const normalization = z.strictObject({
  /** Of each channel, for values in 0..1. */
  mean: channels(z.number()),
  std: channels(positive),
})

const data = z.strictObject({
  /** Turn images as their EXIF orientation says. */
  autoOrient: z.boolean(),
  /** At an image that cannot be read: end with an error, or go on without it. */
  onBad: z.enum(['fail', 'skip']),
  /** With onBad skip: the most images that may be left out. */
  maxBad: integer(0),
  /** Images that wait to be drawn from when shards are read from a server. */
  shuffleBuffer: count,
})

const vit = z.strictObject({
  /** Side of the square patches that become tokens, in pixels; crop sizes are multiples of it. */
  patchSize: count,
  /** Features are the class token or the mean of the patch tokens, after the last norm. */
  pooling: z.enum(['class', 'mean']),
  /** Probability that the last block is left out for an image in training, growing from 0 at the first. */
  dropPath: z.number().min(0).lt(1),
})

const projector = z.strictObject({
  /** Hidden layers: L of the paper. */
  layers: integer(0),
  hidden: count,
  /** Dimension of the embedding z. */
  bottleneck: count,
  l2Input: z.boolean(),
})

const onlineClassMeans = z.strictObject({
  /** Embeddings the memory bank holds: Q of the paper. */
  size: count,
  emaMomentum: fraction,
})

const belowOne = z.number().min(0).lt(1)

const optimizer = z.strictObject({
  name: z.enum(['sgd', 'adamw']),
  /** Peak learning rate for a batch of 256; it scales with the batch. */
  lr: positive,
  sgdMomentum: belowOne,
  /** Of AdamW: what is kept of the averages of gradients and of their squares at each step. */
  betas: z.tuple([belowOne, belowOne]),
  weightDecay: nonNegative,
  /** What the weight decay moves to, along half a cosine over the run; null: it stays. */
  weightDecayEnd: nonNegative.nullable(),
  /** Gradients longer than this, over all parameters, are scaled down to it; null: never. */
  clipNorm: positive.nullable(),
  /** What the learning rate falls to; it does not scale with the batch. */
  minLr: nonNegative,
  warmupEpochs: integer(0),
})

const validation = z
  .strictObject({
    /** Share of the images held out, by class, when the data has no validation part of its own. */
    fraction: z.number().min(0).lt(1),
    /** Shortest side, then the centred square, in pixels. */
    resize: count,
    crop: count,
  })
  .refine(({ resize, crop }) => crop <= resize, { path: ['crop'], error: 'is larger than validation.resize' })

const checkpoints = z.strictObject({
  /** Save after so many steps; null: not by steps. */
  everySteps: count.nullable(),
  /** Save once so many minutes have passed since the last time; null: not by time. */
  everyMinutes: positive.nullable(),
  /** Keep the state after every so many epochs besides the last and the best; null: none. */
  keepEvery: count.nullable(),
  /** How many of these are kept; older ones are removed. */
  keep: count,
})

const watch = z.strictObject({
  /** Write TensorBoard event files. */
  tensorboard: z.boolean(),
  /** Measure how far the prototypes move at every so many steps; 0: never. */
  driftEvery: integer(0),
  /** Measure the spectrum of the validation features after every so many epochs; 0: never. */
  spectrumEvery: integer(0),
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
    recipe: z.string(),
    /** Side of the images in pixels that the recipe's crop sizes are scaled for. */
    imageSize: integer(8),
    encoder: z.enum(ENCODERS),
    /** First layers of a ResNet: 7x7 stride 2 and max pool, or 3x3 stride 1 without pool (the CIFAR stem). */
    stem: z.enum(['imagenet', 'small']),
    /** Of the encoders vit_*; ResNets have none of it. */
    vit,
    /** File or run whose encoder weights training starts from; null: random ones. */
    initFrom: z.string().nullable(),
    globalCrops: crops,
    localCrops: crops.nullable(),
    /** Groups of crops besides these two. */
    extraCrops: z.array(extraCrops),
    augment,
    normalization,
    projector: projector.nullable(),
    /** Tau of the cosine softmax; 0 means plain linear logits. */
    temperature: nonNegative,
    /** Prototypes are the class means of a memory bank (Eq. 2); null: learned weights (Eq. 1). */
    onlineClassMeans: onlineClassMeans.nullable(),
    optimizer,
    epochs: count,
    /** Images a step, over all processes. */
    batchSize: integer(2),
    /** Parts that a batch is computed in, one after the other, to save memory; batch norm sees one part. */
    accumulate: count,
    seed: integer(0),
    device: z.enum(['auto', 'cpu', 'cuda']),
    precision: z.enum(['auto', 'fp32', 'bf16', 'fp16']),
    channelsLast: z.boolean(),
    /** CUDA may multiply fp32 matrices with 10 bits of mantissa. */
    tf32: z.boolean(),
    /** Use only kernels that give the same bits every time; an error where there is none. */
    deterministic: z.boolean(),
    /** Steps between two looks at the loss; each waits for the device. */
    logEvery: z.union([z.literal('auto'), count], { error: 'expected a whole number from 1 on or "auto"' }),
    checkpoints,
    watch,
    /** Threads that decode and augment. */
    workers,
    validation,
    data,
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
