import { EngineError, engineInfo, noGrad, tidy } from 'trex-torch'
import { floatsOf } from '../checkpoints/castTensor.js'
import type { ModelDescription } from '../checkpoints/modelDescription.js'
import { collectBadImages } from '../data/loader/badImages.js'
import { evalBatches } from '../data/loader/loader.js'
import { openWorkers } from '../data/loader/workers.js'
import type { DeployedModel, LinearHead } from '../deploy/deployedModel.js'
import type { Calibration, Verification } from '../deploy/exportOnnx.js'
import { TrexError } from '../errors.js'
import type { EvaluatedModel } from '../evaluate/readImages.js'
import { imageTensor } from '../method/imageTensor.js'
import type { CheckedBatch } from '../onnx/verifyOnnx.js'
import type { Settings } from '../settings.js'
import { openEncoder } from '../train/openEncoder.js'
import { evalTarget } from './evalTarget.js'
import type { GraphImages } from './exportImages.js'
import type { FoundModel } from './findModel.js'

const BATCH = 16

/**
 * The images, prepared, with what libtorch computes of them in fp32 on the CPU; without libtorch the images alone.
 * Rejects with TrexError when none can be read.
 */
export async function verification(
  path: string,
  found: FoundModel,
  model: DeployedModel,
  images: GraphImages,
  checkpoint: string | undefined,
): Promise<Verification> {
  const version = engineVersion()
  const settings = { ...found.settings, precision: 'fp32', device: 'cpu' } as const
  if (version === null)
    return { batches: await prepared(settings, model, images, null), reference: null, images: images.source }
  using loaded = found.run
    ? evalTarget(path, checkpoint, { set: [], precision: 'fp32', device: 'cpu' }).load()
    : loadedEncoder(settings, found.weights)
  const batches = await prepared(settings, model, images, loaded.model)
  return { batches, reference: `libtorch ${version}, cpu`, images: images.source }
}

function loadedEncoder(settings: Settings, weights: string | null): { model: EvaluatedModel } & Disposable {
  const opened = openEncoder(settings, weights)
  const { encoder, precision } = opened
  return { model: { encoder, precision, classifier: null }, [Symbol.dispose]: () => opened[Symbol.dispose]() }
}

/** Images to calibrate on, prepared. Rejects with TrexError when none can be read. */
export async function calibration(
  { settings }: FoundModel,
  model: DeployedModel,
  images: GraphImages,
): Promise<Calibration> {
  return { batches: await prepared(settings, model, images, null), images: images.source }
}

function engineVersion(): string | null {
  try {
    return engineInfo().version
  } catch (error) {
    if (error instanceof EngineError) return null
    throw error
  }
}

async function prepared(
  settings: Settings,
  { description, heads }: DeployedModel,
  { samples, stream }: GraphImages,
  model: EvaluatedModel | null,
): Promise<CheckedBatch[]> {
  const { resize, crop, filter, mean, std } = description.preprocess
  const normalization = { mean, std }
  const decode = { autoOrient: settings.data.autoOrient }
  const none = { cacheBytes: 0, nice: 0, stallSeconds: 60 }
  await using pool = openWorkers({ workers: 1, normalization, pixels: 'float32', decode, ...none })
  const bad = collectBadImages({ onBad: 'skip', maxBad: samples.length })
  const reading = { resize, crop, filter, batchSize: BATCH, pool, bad, ...(stream && { stream }) }
  const batches: CheckedBatch[] = []
  for await (const batch of evalBatches(samples, reading)) {
    const images = Float32Array.from(batch.images as Float32Array)
    const expected = model ? computed(model, images, batch.size, description, heads.classifier) : {}
    for (const [name, values] of Object.entries(expected))
      if (!values.every(Number.isFinite))
        throw new TrexError(
          `the model's own ${name} of the images are not finite: there is nothing to compare with`,
          {
            hint: 'the weights are out of bounds: try another --checkpoint',
          },
        )
    batches.push({ images, shape: [batch.size, 3, crop, crop], expected })
    batch.release()
  }
  if (batches.length === 0)
    throw new TrexError('not one of the images for the graph can be read', {
      hint: 'name a folder of other images with --images or --calibrate',
    })
  return batches
}

/** Features, embeddings and logits of normalised images, as far as the model has them. */
function computed(
  { encoder, classifier }: EvaluatedModel,
  images: Float32Array,
  size: number,
  { preprocess }: ModelDescription,
  linear: LinearHead | null,
): Record<string, Float32Array> {
  ;(classifier?.model ?? encoder).eval()
  const target = { precision: { device: 'cpu', dtype: null }, channelsLast: false } as const
  return tidy(() =>
    noGrad(() => {
      const features = encoder.forward(imageTensor({ images, size, normalization: preprocess }, target)) // [B, D]
      const found = { features: features.toFloat32Array() }
      if (!classifier)
        return { ...found, ...(linear && { logits: linearLogits(found.features, size, linear) }) }
      const { projector } = classifier.model
      const z = projector ? projector.forward(features) : features // [B, E]
      return {
        ...found,
        embedding: z.toFloat32Array(),
        logits: classifier.prototypes.logits(z).toFloat32Array(),
      } // [B, C]
    }),
  )
}

/** The last layer of weights of others, which the engine's models do not have. */
function linearLogits(features: Float32Array, size: number, { weight, bias }: LinearHead): Float32Array {
  const [w, b] = [floatsOf(weight), bias ? floatsOf(bias) : null]
  const [classes, dim] = weight.shape as [number, number]
  return Float32Array.from({ length: size * classes }, (_, at) => {
    const [row, c] = [Math.floor(at / classes), at % classes]
    let sum = b ? b[c]! : 0
    for (let d = 0; d < dim; d++) sum += features[row * dim + d]! * w[c * dim + d]!
    return sum
  })
}
