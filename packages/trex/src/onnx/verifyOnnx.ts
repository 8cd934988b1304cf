import { TrexError } from '../errors.js'
import { neighbourAgreement, type OutputErrors, outputErrors } from './compareOutputs.js'
import { type NodeRuntime, nodeRuntime } from './nodeRuntime.js'

/** Normalised images. */
export interface ImageBatch {
  /** [N, 3, H, W], row by row. */
  readonly images: Float32Array
  readonly shape: readonly [number, number, number, number]
}

/** Images, and what the encoder that was exported gives for them. */
export interface CheckedBatch extends ImageBatch {
  /** By the names of the model's outputs, [N, width] each; the features must be among them. */
  readonly expected: Readonly<Record<string, Float32Array>>
}

/** What a model must keep. */
export interface OnnxLimits {
  /** The most of `maxRelativeError` and of `medianRelativeError`, of every output. */
  readonly maxRelativeError?: number
  /** The least, of the features. */
  readonly neighbourAgreement?: number
}

/** Of one image or two the neighbours are the same whatever is computed, and of fewer than these one in 20 is none. */
const LEAST_IMAGES = 20

/** The limits of each precision. */
export const onnxLimits = {
  fp32: { maxRelativeError: 1e-4 },
  fp16: { maxRelativeError: 1e-2 },
  int8: { neighbourAgreement: 0.95 },
} as const satisfies Record<string, OnnxLimits>

/** A model in ONNX Runtime beside the encoder that it was made of. */
export interface OnnxReport {
  readonly passed: boolean
  readonly limits: OnnxLimits
  /** Why it did not pass, a sentence each. */
  readonly failures: readonly string[]
  /** Their number. */
  readonly images: number
  readonly outputs: Readonly<Record<string, OutputErrors>>
  /** See `neighbourAgreement`, of the features. */
  readonly neighbourAgreement: number
  /** What computed: `onnxruntime-node 1.30.0`. */
  readonly runtime: string
}

/**
 * Runs a model in ONNX Runtime (onnxruntime-node, on the CPU) on images whose outputs are known, and measures them.
 * @param features the output whose neighbours are compared
 * @throws TrexError when onnxruntime-node is not installed, or does not take the model or the images.
 */
export async function verifyOnnx(
  bytes: Uint8Array,
  batches: readonly CheckedBatch[],
  limits: OnnxLimits,
  features = 'features',
): Promise<OnnxReport> {
  const names = Object.keys(batches[0]?.expected ?? {})
  if (!names.includes(features)) throw new TypeError(`there are no expected values of ${features}`)
  const runtime = await nodeRuntime()
  const actual = await runBatches(runtime, bytes, batches, names)
  const images = batches.reduce((sum, { shape }) => sum + shape[0], 0)
  const expected = (name: string) => joined(batches.map((batch) => batch.expected[name]!))
  const outputs = Object.fromEntries(
    names.map((name) => [name, outputErrors(actual[name]!, expected(name), images)]),
  )
  const agreement = neighbourAgreement(actual[features]!, expected(features), images)
  const failures = failuresOf(limits, outputs, agreement, images)
  return {
    ...{ passed: failures.length === 0, limits, failures, images, outputs },
    neighbourAgreement: agreement,
    runtime: `onnxruntime-node ${runtime.env.versions.node}`,
  }
}

/**
 * Runs a model on batches of images: all values of the named outputs, one batch after the other.
 * @throws TrexError when ONNX Runtime does not take the model or the images.
 */
export async function runBatches(
  { InferenceSession, Tensor }: NodeRuntime,
  bytes: Uint8Array,
  batches: readonly ImageBatch[],
  names: readonly string[],
): Promise<Record<string, Float32Array>> {
  try {
    const session = await InferenceSession.create(bytes)
    const parts = new Map(names.map((name) => [name, [] as Float32Array[]]))
    for (const { images, shape } of batches) {
      const input = { [session.inputNames[0]!]: new Tensor('float32', images, shape) }
      const results = await session.run(input, names)
      for (const [name, list] of parts) list.push(results[name]!.data as Float32Array)
    }
    await session.release()
    return Object.fromEntries([...parts].map(([name, list]) => [name, joined(list)]))
  } catch (cause) {
    throw new TrexError(`ONNX Runtime does not run the model: ${(cause as Error).message}`, { cause })
  }
}

function failuresOf(
  limits: OnnxLimits,
  outputs: Readonly<Record<string, OutputErrors>>,
  agreement: number,
  images: number,
): string[] {
  const most = limits.maxRelativeError ?? Number.POSITIVE_INFINITY
  const failures = Object.entries(outputs).flatMap(([name, { maxRelativeError, medianRelativeError }]) => {
    const off = (error: number, of: string) => `${name} is off by ${error.toExponential(1)} of ${of}`
    if (!(maxRelativeError <= most))
      return [`${off(maxRelativeError, 'its largest value')}, ${most} is allowed`] // NaN too
    if (medianRelativeError <= most) return []
    return [`half of ${off(medianRelativeError, 'their largest values')} or more, ${most} is allowed`]
  })
  const least = limits.neighbourAgreement ?? 0
  if (least > 0 && images < LEAST_IMAGES)
    failures.push(`neighbours among ${images} images say nothing, ${LEAST_IMAGES} are needed`)
  if (agreement >= least) return failures
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`
  return [
    ...failures,
    `${percent(agreement)} of the images keep their nearest neighbour, ${percent(least)} are needed`,
  ]
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
