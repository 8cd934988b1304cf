import { bufferSource } from '../checkpoints/byteSource.js'
import { TrexError } from '../errors.js'
import { encoderOf, type LoadedEncoder } from './encoder.js'
import { type Given, graphDescription, graphOf, readModel } from './model.js'
import { bytesOf, type OnProgress, type WebFile } from './webFetch.js'
import { decodeWebImage, type WebImage, webImageName } from './webImage.js'
import { openWebRuntime, type WebDevice, type WebRuntimeOptions } from './webRuntime.js'

/** How an encoder is loaded in a browser. */
export interface WebLoadOptions extends Given, WebRuntimeOptions {
  /** Of weights; default fp32. An ONNX file has its own. */
  readonly precision?: 'fp32' | 'fp16' | undefined
  /** Images that are computed at once; default 4. */
  readonly batchSize?: number | undefined
  /** Told of each piece of a model that is fetched. */
  readonly onProgress?: OnProgress | undefined
}

/** An encoder in a browser. */
export interface WebEncoder extends LoadedEncoder<WebImage> {
  /** What computes. */
  readonly device: WebDevice
}

const BATCH_SIZE = 4

/**
 * Loads an encoder in a browser to embed images with: an ONNX file or one of weights (PyTorch's, safetensors, npz), by its
 * address, as a File or Blob, or as bytes. Rejects with TrexError when it cannot be had, is damaged or not recognised, it
 * does not tell how images are prepared for it, or the device is not there.
 */
export async function loadEncoder(file: WebFile, options: WebLoadOptions = {}): Promise<WebEncoder> {
  const { batchSize = BATCH_SIZE, precision = 'fp32', onProgress, ...rest } = options
  const bytes = await bytesOf(file, onProgress)
  const model = readModel(bufferSource(bytes, nameOf(file)), options)
  if (!model.weights && options.precision !== undefined)
    throw new TrexError(`${model.name} is a graph, whose precision is its own`, {
      hint: 'leave precision out, or export the model in another one',
    })
  const { crop } = (model.weights ? model.description : model).preprocess
  const graph = model.weights ? graphOf(model, precision) : bytes
  const session = await openWebRuntime(graph, model.name, crop, rest)
  try {
    const description = model.weights
      ? model.description
      : (model.description ?? graphDescription(model.preprocess, await widthOf(session, crop)))
    const { device, engine } = session
    const parts = { session, description, engine, batchSize, decode: decodeWebImage, nameOf: webImageName }
    return { ...encoderOf<WebImage>(parts), device }
  } catch (error) {
    await session.release()
    throw error
  }
}

/** The width of the features of a graph that does not say it: of a black image. */
async function widthOf(session: { run: LoadedEncoder<WebImage>['run'] }, size: number): Promise<number> {
  return (await session.run(new Float32Array(3 * size * size), 1)).shape[1]
}

function nameOf(file: WebFile): string {
  if (typeof file === 'string') return file
  if (file instanceof URL) return file.href
  return file instanceof File ? file.name : 'the model given as bytes'
}
