import type { ModelDescription } from '../checkpoints/modelDescription.js'
import { TrexError } from '../errors.js'
import { type DecodedImage, preprocessor } from './preprocess.js'
import type { FeatureSession, Rows } from './session.js'

/** How images are embedded. */
export interface EmbedOptions {
  /** Images that are computed at once; default: that of `loadEncoder`. */
  readonly batchSize?: number | undefined
  /** What is wanted of a model that computes more than features: `embedding`, `logits`. */
  readonly output?: string | undefined
  /** Ends the work between two batches, with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** An encoder ready for images of type `Input`; disposing it releases its weights. */
export interface LoadedEncoder<Input> extends AsyncDisposable {
  /** What it is, and how images are prepared for it. */
  readonly description: ModelDescription
  /** What computes, in words: `onnxruntime-node 1.30.0`. */
  readonly engine: string
  /** Names of what it computes, the first being its features. */
  readonly outputs: readonly string[]
  /** Images that are computed at once unless `embed` is told otherwise. */
  readonly batchSize: number
  /**
   * The features of one image or of several, in their order; the next batch is decoded while one is computed.
   * @returns features [n, D], where n is 1 for one image.
   * @throws TrexError that names the image which cannot be read, or for a number that is not finite.
   */
  embed(images: Input | readonly Input[], options?: EmbedOptions): Promise<Rows>
  /** The features of normalised images [batch, 3, S, S], which is what `embed` computes of decoded ones. */
  run(pixels: Float32Array, batch: number, output?: string): Promise<Rows>
  dispose(): Promise<void>
}

/** What an encoder is made of. */
export interface EncoderParts<Input> {
  readonly session: FeatureSession
  readonly description: ModelDescription
  readonly engine: string
  readonly batchSize: number
  /** Reads an image. Rejects with an error that says what is wrong with it. */
  decode(image: Input): Promise<DecodedImage>
  /** What errors call an image: its path; undefined for those without a name. */
  nameOf(image: Input): string | undefined
}

/** Images that are decoded at the same time. */
const DECODING = 8

/** An encoder out of its parts, the same in Node and in a browser. @throws TrexError for a wrong batch size. */
export function encoderOf<Input>(parts: EncoderParts<Input>): LoadedEncoder<Input> {
  const { session, description, engine } = parts
  checkBatchSize(parts.batchSize)
  const { outputs } = session
  const prepare = preprocessor(description.preprocess)
  const length = 3 * prepare.size ** 2
  let disposed: Promise<void> | undefined

  async function run(pixels: Float32Array, batch: number, output?: string): Promise<Rows> {
    if (disposed) throw new TrexError('the encoder is disposed', { hint: 'load it again with loadEncoder' })
    if (output !== undefined && !outputs.includes(output))
      throw new TrexError(`the model has no output ${output}`, { hint: `it has ${outputs.join(', ')}` })
    if (pixels.length !== batch * length)
      throw new TrexError(
        `${batch} images of ${prepare.size} px need ${batch * length} values, not ${pixels.length}`,
      )
    const rows = await session.run(pixels, batch, output)
    if (rows.shape[0] !== batch)
      throw new TrexError(`the model gives ${rows.shape[0]} rows of ${batch} images`, {
        hint: 'export it with a dynamic batch, or load it with the batchSize it was exported for',
      })
    return rows
  }

  /** The input of a batch, [B, 3, S, S]; `DECODING` of its images are on their way at a time. */
  async function prepared(images: readonly Input[], begin: number): Promise<Float32Array> {
    const out = new Float32Array(images.length * length)
    const decoding: Promise<DecodedImage>[] = []
    for (let row = 0; row < images.length; row++) {
      while (decoding.length < Math.min(images.length, row + DECODING)) {
        const image = parts.decode(images[decoding.length]!)
        image.catch(() => {}) // it is awaited in its turn
        decoding.push(image)
      }
      try {
        const decoded = decoding[row]!
        decoding[row] = undefined as never // its memory is not held while the others are read
        prepare.write(await decoded, out, row)
      } catch (error) {
        throw badImage(error as Error, begin + row, parts.nameOf(images[row]!))
      }
    }
    return out
  }

  async function embed(images: Input | readonly Input[], options: EmbedOptions = {}): Promise<Rows> {
    const { batchSize = parts.batchSize, output, signal } = options
    checkBatchSize(batchSize)
    const all = Array.isArray(images) ? (images as readonly Input[]) : [images as Input]
    const batch = (begin: number) => {
      if (begin >= all.length) return null
      const pixels = prepared(all.slice(begin, begin + batchSize), begin)
      pixels.catch(() => {}) // it is awaited in its turn
      return pixels
    }
    let features = new Float32Array(0)
    let width = 0
    let next = batch(0)
    for (let begin = 0; begin < all.length; begin += batchSize) {
      signal?.throwIfAborted()
      const pixels = (await next)!
      next = batch(begin + batchSize)
      const rows = await run(pixels, Math.min(batchSize, all.length - begin), output)
      width = rows.shape[1]
      if (begin === 0) features = new Float32Array(all.length * width)
      features.set(rows.features, begin * width)
    }
    checkFinite(features, width, (row) => nameOf(row, parts.nameOf(all[row]!)))
    return { features, shape: [all.length, width || description.featureDim] }
  }

  const dispose = () => (disposed ??= session.release())
  return {
    ...{ description, engine, outputs, batchSize: parts.batchSize, embed, run, dispose },
    [Symbol.asyncDispose]: dispose,
  }
}

function checkBatchSize(batchSize: number): void {
  if (!(Number.isSafeInteger(batchSize) && batchSize >= 1))
    throw new TrexError(`batchSize is ${batchSize}, not a whole number from 1 on`)
}

const nameOf = (index: number, name: string | undefined): string =>
  name === undefined ? `image ${index}` : `image ${index} (${name})`

function badImage(error: Error, index: number, name: string | undefined): TrexError {
  const hint = error instanceof TrexError ? error.hint : undefined
  return new TrexError(`${nameOf(index, name)} cannot be embedded: ${error.message}`, {
    ...(hint !== undefined && { hint }),
    cause: error,
  })
}

/** Refuses features that are not numbers. @throws TrexError that names the image. */
export function checkFinite(features: Float32Array, width: number, image: (row: number) => string): void {
  const at = features.findIndex((value) => !Number.isFinite(value))
  if (at < 0) return
  throw new TrexError(`feature ${at % width} of ${image(Math.floor(at / width))} is ${features[at]}`, {
    hint: 'the weights, or the numbers of half precision, are out of bounds: try float32',
  })
}
