import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bufferSource } from '../checkpoints/byteSource.js'
import { openFileSource } from '../checkpoints/fileSource.js'
import { type ModelDescription, readDescription } from '../checkpoints/modelDescription.js'
import { TrexError } from '../errors.js'
import { encoderOf, type LoadedEncoder } from './encoder.js'
import { decodeInput, imageName, type NodeImage } from './imageInput.js'
import { onnxMetadata } from './onnxMetadata.js'
import { openOnnxRuntime } from './onnxRuntime.js'
import type { GraphOutput } from './session.js'

/** How an encoder is loaded. */
export interface LoadOptions extends GraphOutput {
  /** How images are prepared; needed for a model that does not say so, as an ONNX file of others. */
  readonly preprocess?: ModelDescription['preprocess'] | undefined
  /** Threads that compute; default: all cores. */
  readonly threads?: number | undefined
  /** Images that are computed at once; default 16. */
  readonly batchSize?: number | undefined
  /** Turn images as their EXIF orientation says; default false, as torchvision and training do. */
  readonly autoOrient?: boolean | undefined
}

const BATCH = 16

/**
 * Loads an encoder, from a path, a file: URL or the bytes of a file, to embed images with.
 * @throws TrexError when there is none, it is damaged, nothing says how images are prepared for it, or onnxruntime-node
 * is missing.
 */
export async function loadEncoder(
  model: string | URL | Uint8Array,
  options: LoadOptions = {},
): Promise<LoadedEncoder<NodeImage>> {
  const file = model instanceof URL ? fileURLToPath(model) : model
  const { batchSize = BATCH, autoOrient = false } = options
  const name = typeof file === 'string' ? file : 'the model given as bytes'
  const stored = storedDescription(file, name)
  const preprocess = options.preprocess ?? stored?.preprocess
  if (!preprocess)
    throw new TrexError(`${name} does not say how images are prepared for it`, {
      hint: 'give the option preprocess: { resize: 256, crop: 224, filter: "bicubic", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } with the numbers it was trained with',
    })
  const { engine, ...session } = await openOnnxRuntime(file, name, options)
  try {
    const description = stored
      ? { ...stored, preprocess }
      : {
          version: 1 as const,
          encoder: null,
          featureDim: await widthOf(session, preprocess.crop),
          preprocess,
          outputs: ['features' as const],
        }
    return encoderOf<NodeImage>({
      ...{ session, description, engine, batchSize },
      decode: (image) => decodeInput(image, { autoOrient }),
      nameOf: imageName,
    })
  } catch (error) {
    await session.release()
    throw error
  }
}

function storedDescription(file: string | Uint8Array, name: string): ModelDescription | undefined {
  if (typeof file === 'string' && !existsSync(file))
    throw new TrexError(`there is no model ${file}`, { hint: 'check the path' })
  using source =
    typeof file === 'string' ? openFileSource(file) : { ...bufferSource(file, name), [Symbol.dispose]() {} }
  try {
    return readDescription(onnxMetadata(source))
  } catch (cause) {
    if (cause instanceof TrexError) throw cause
    throw new TrexError(`${name}: ${(cause as Error).message}`, { hint: 'export the model again', cause })
  }
}

/** The width of the features of a graph that does not say it: of a black image. */
async function widthOf(
  session: Pick<import('./session.js').FeatureSession, 'run'>,
  size: number,
): Promise<number> {
  const { shape } = await session.run(new Float32Array(3 * size * size), 1)
  return shape[1]
}
