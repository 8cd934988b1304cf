import { TrexError } from '../errors.js'
import { fromFloat16, toFloat16 } from '../onnx/float16.js'

/** A tensor of ONNX Runtime: what onnxruntime-node and onnxruntime-web have in common. */
export interface OrtTensor {
  readonly type: string
  readonly dims: readonly number[]
  readonly data: unknown
}

/** A session of ONNX Runtime: what onnxruntime-node and onnxruntime-web have in common. */
export interface OrtSession {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  readonly inputMetadata?: readonly { readonly name: string; readonly type?: string }[]
  // biome-ignore lint/suspicious/noExplicitAny: their tensors are classes with private parts
  run(feeds: any, fetches: any): Promise<Readonly<Record<string, OrtTensor>>>
  release(): Promise<void>
}

/** The constructor `Tensor` of onnxruntime-node or onnxruntime-web. */
// biome-ignore lint/suspicious/noExplicitAny: its overloads differ by type
export type OrtTensorConstructor = new (type: any, data: any, dims: readonly number[]) => OrtTensor

/** Rows of numbers, [n, D]. */
export interface Rows {
  readonly features: Float32Array
  /** [n, D] */
  readonly shape: readonly [number, number]
}

/** What computes features, whatever the engine. */
export interface FeatureSession {
  /** Names of what it computes, the first being the features. */
  readonly outputs: readonly string[]
  /** Normalised images [B, 3, S, S] to one of `outputs`, by default the first. */
  run(pixels: Float32Array, batch: number, output?: string): Promise<Rows>
  release(): Promise<void>
}

/** How the features of a graph of others are taken. */
export interface GraphOutput {
  /** The output with the features; default: `features`, `image_embeds` or `pooler_output`, or the first one. */
  readonly output?: string | undefined
  /** What becomes of an output of tokens [B, T, D]: the first one, or their mean; default: that is an error. */
  readonly pooling?: 'class' | 'mean' | undefined
}

const FEATURES = ['features', 'image_embeds', 'pooler_output']

/**
 * The features of a session of ONNX Runtime, whose graph takes images [B, 3, S, S] in float32 or float16.
 * @throws TrexError for a graph of another kind.
 */
export function onnxSession(
  session: OrtSession,
  Tensor: OrtTensorConstructor,
  { output, pooling }: GraphOutput = {},
): FeatureSession {
  const { inputNames, outputNames } = session
  const [input] = inputNames
  if (input === undefined || inputNames.length > 1)
    throw new TrexError(`the model has inputs ${inputNames.join(', ')}, not one for images`, {
      hint: 'give an encoder of images alone, exported with one input [B, 3, S, S]',
    })
  const first = output ?? FEATURES.find((name) => outputNames.includes(name)) ?? outputNames[0]!
  if (!outputNames.includes(first))
    throw new TrexError(`the model has no output ${first}`, { hint: `it has ${outputNames.join(', ')}` })
  const half = session.inputMetadata?.[0]?.type === 'float16'
  const outputs = [first, ...outputNames.filter((name) => name !== first)]
  return {
    outputs,
    async run(pixels, batch, name = first) {
      const size = Math.sqrt(pixels.length / (3 * batch))
      const dims = [batch, 3, size, size]
      const images = half
        ? new Tensor('float16', toFloat16(pixels), dims)
        : new Tensor('float32', ownMemory(pixels), dims)
      const results = await session.run({ [input]: images }, [name])
      return rowsOf(results[name]!, name, pooling)
    },
    release: () => session.release(),
  }
}

/** An output as rows [B, D]: of maps [B, D, 1, 1] their only place, of tokens [B, T, D] as `pooling` says. */
function rowsOf({ type, dims, data }: OrtTensor, name: string, pooling: GraphOutput['pooling']): Rows {
  const values = type === 'float32' ? (data as Float32Array) : type === 'float16' ? halves(data) : null
  if (!values)
    throw new TrexError(`output ${name} of the model is of type ${type}, not float32 or float16`, {
      hint: 'choose the output with the features by the option `output`',
    })
  const [n, d, ...places] = dims as [number, number]
  if (d !== undefined && places.every((length) => length === 1)) return { features: values, shape: [n, d] }
  if (dims.length === 3 && pooling) return pooled(values, dims as [number, number, number], pooling)
  throw new TrexError(`output ${name} of the model is [${dims}], not features [B, D]`, {
    hint:
      dims.length === 3
        ? 'say what becomes of its tokens: pooling `class` or `mean`'
        : 'choose the output with the features by the option `output`',
  })
}

function pooled(
  values: Float32Array,
  [n, tokens, width]: [number, number, number],
  pooling: 'class' | 'mean',
): Rows {
  const features = new Float32Array(n * width)
  const count = pooling === 'class' ? 1 : tokens
  for (let row = 0; row < n; row++)
    for (let i = 0; i < width; i++) {
      let sum = 0
      for (let t = 0; t < count; t++) sum += values[(row * tokens + t) * width + i]!
      features[row * width + i] = sum / count
    }
  return { features, shape: [n, width] }
}

/** ONNX Runtime takes no memory that threads share, as data workers fill. */
const ownMemory = (pixels: Float32Array): Float32Array =>
  typeof SharedArrayBuffer !== 'undefined' && pixels.buffer instanceof SharedArrayBuffer
    ? pixels.slice()
    : pixels

/** Values of float16: ONNX Runtime gives their bits, or a Float16Array where the platform has it. */
const halves = (data: unknown): Float32Array =>
  data instanceof Uint16Array ? fromFloat16(data) : Float32Array.from(data as Iterable<number>)
