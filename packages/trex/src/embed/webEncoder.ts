import { bufferSource } from '../checkpoints/byteSource.js'
import { type ModelDescription, readDescription } from '../checkpoints/modelDescription.js'
import { TrexError } from '../errors.js'
import { encoderOf, type LoadedEncoder } from './encoder.js'
import { onnxMetadata } from './onnxMetadata.js'
import { bytesOf, type OnProgress, type WebFile } from './webFetch.js'
import { decodeWebImage, type WebImage, webImageName } from './webImage.js'
import { openWebRuntime, type WebDevice, type WebRuntimeOptions } from './webRuntime.js'

/** How an encoder is loaded in a browser. */
export interface WebLoadOptions extends WebRuntimeOptions {
  /** How images are prepared; needed for a model that does not say so, as an ONNX file of others. */
  readonly preprocess?: ModelDescription['preprocess'] | undefined
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

/**
 * Loads an encoder in a browser, from an address, a File or Blob or the bytes of a file, to embed images with.
 * Rejects with TrexError when it cannot be had, is damaged, or nothing says how images are prepared for it.
 */
export async function loadEncoder(model: WebFile, options: WebLoadOptions = {}): Promise<WebEncoder> {
  const bytes = await bytesOf(model, options.onProgress)
  const name = nameOf(model)
  const stored = storedDescription(bytes, name)
  const preprocess = options.preprocess ?? stored?.preprocess
  if (!preprocess)
    throw new TrexError(`${name} does not say how images are prepared for it`, {
      hint: 'give the option preprocess: { resize: 256, crop: 224, filter: "bicubic", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } with the numbers it was trained with',
    })
  const { engine, device, ...session } = await openWebRuntime(bytes, name, preprocess.crop, options)
  const { batchSize = 4 } = options
  const description = stored
    ? { ...stored, preprocess }
    : ({
        version: 1,
        encoder: null,
        featureDim: (await session.run(new Float32Array(3 * preprocess.crop ** 2), 1)).shape[1],
        preprocess,
        outputs: ['features'],
      } as const)
  const parts = { session, description, engine, batchSize, decode: decodeWebImage, nameOf: webImageName }
  return { ...encoderOf<WebImage>(parts as never), device }
}

function storedDescription(bytes: Uint8Array, name: string): ModelDescription | undefined {
  try {
    return readDescription(onnxMetadata(bufferSource(bytes, name)))
  } catch (cause) {
    if (cause instanceof TrexError) throw cause
    throw new TrexError(`${name}: ${(cause as Error).message}`, { hint: 'export the model again', cause })
  }
}

function nameOf(model: WebFile): string {
  if (typeof model === 'string') return model
  if (model instanceof URL) return model.href
  return typeof File !== 'undefined' && model instanceof File ? model.name : 'the model given as bytes'
}
