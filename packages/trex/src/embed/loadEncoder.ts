import type { ModelDescription } from '../checkpoints/modelDescription.js'
import { TrexError } from '../errors.js'
import { encoderOf, type LoadedEncoder } from './encoder.js'
import { decodeInput, imageName, type NodeImage } from './imageInput.js'
import { type Given, graphDescription, graphOf } from './model.js'
import { hasOnnxRuntime, openOnnxRuntime } from './onnxRuntime.js'
import { type ModelInput, type OpenedModel, openModel } from './openModel.js'
import type { FeatureSession, GraphOutput } from './session.js'

/** What computes: ONNX Runtime (onnxruntime-node) or libtorch (trex-torch, with CUDA where it has it). */
export type EngineName = 'onnxruntime' | 'libtorch'

/** What features are computed in; ONNX Runtime has no bf16, libtorch fp16 on GPUs alone. */
export type EmbedPrecision = 'fp32' | 'fp16' | 'bf16'

/** What computes, and how. */
export interface EngineOptions extends Omit<GraphOutput, 'pooling'> {
  /** Default `auto`: ONNX Runtime, but libtorch for bf16, or where that is missing and the model is weights. */
  readonly engine?: EngineName | 'auto' | undefined
  /** Default fp32. */
  readonly precision?: EmbedPrecision | undefined
  /** Threads that compute; default: all cores. */
  readonly threads?: number | undefined
}

/** How an encoder is loaded. */
export interface LoadOptions extends Given, EngineOptions {
  /** Images that are computed at once; default 16. */
  readonly batchSize?: number | undefined
  /** Turn images as their EXIF orientation says; default false, as torchvision and training do. */
  readonly autoOrient?: boolean | undefined
}

/** Images that are computed at once unless one says otherwise. */
export const BATCH_SIZE = 16

/**
 * Loads an encoder to embed images with: a file of weights (PyTorch's, safetensors, npz), an ONNX file, a run folder, or a
 * folder in the layout of transformers.js; by path, file: URL or as the bytes of a file.
 * @throws TrexError when there is none, it is damaged or not recognised, it does not tell how images are prepared for it,
 * or what computes it is missing.
 */
export async function loadEncoder(
  model: ModelInput,
  options: LoadOptions = {},
): Promise<LoadedEncoder<NodeImage>> {
  const { batchSize = BATCH_SIZE, autoOrient = false } = options
  const { session, description } = await openSession(openModel(model, options), options)
  try {
    return encoderOf<NodeImage>({
      ...{ session, description, engine: session.engine, batchSize },
      decode: (image) => decodeInput(image, { autoOrient }),
      nameOf: imageName,
    })
  } catch (error) {
    await session.release()
    throw error
  }
}

/** A model ready to compute. */
export interface OpenedSession {
  readonly session: FeatureSession & { readonly engine: string }
  readonly description: ModelDescription
}

/** Starts what computes a model. Rejects with TrexError as `loadEncoder` does. */
export async function openSession(
  model: OpenedModel,
  options: EngineOptions & Pick<Given, 'pooling'> = {},
): Promise<OpenedSession> {
  const { precision = 'fp32', threads } = options
  const engine = chooseEngine(model, options)
  if (engine === 'libtorch') {
    if (!model.weights)
      throw new TrexError(`${model.name} is a graph, which libtorch does not run`, {
        hint: 'use the engine onnxruntime, or the weights that the graph was made of',
      })
    const { openLibtorch } = await import('./libtorch.js')
    return { session: openLibtorch(model, { precision, threads }), description: model.description }
  }
  if (model.weights) {
    if (precision === 'bf16')
      throw new TrexError('ONNX Runtime does not compute bf16', { hint: 'use fp32, or the engine libtorch' })
    const session = await openOnnxRuntime(graphOf(model, precision), model.name, { threads })
    return { session, description: model.description }
  }
  if (options.precision !== undefined)
    throw new TrexError(`${model.name} is a graph, whose precision is its own`, {
      hint: 'leave precision out, or export the model in another one',
    })
  const session = await openOnnxRuntime(model.file, model.name, options)
  try {
    const description = model.description ?? graphDescription(model.preprocess, await widthOf(session, model))
    return { session, description }
  } catch (error) {
    await session.release()
    throw error
  }
}

function chooseEngine(model: OpenedModel, { engine = 'auto', precision }: EngineOptions): EngineName {
  if (engine !== 'auto') {
    if (engine !== 'onnxruntime' && engine !== 'libtorch')
      throw new TrexError(`there is no engine ${engine}`, { hint: 'auto, onnxruntime or libtorch' })
    return engine
  }
  return model.weights && (precision === 'bf16' || !hasOnnxRuntime()) ? 'libtorch' : 'onnxruntime'
}

/** The width of the features of a graph that does not say it: of a black image. */
async function widthOf(session: FeatureSession, { preprocess }: { preprocess: { crop: number } }) {
  const { shape } = await session.run(new Float32Array(3 * preprocess.crop ** 2), 1)
  return shape[1]
}
