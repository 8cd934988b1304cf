import type { RawTensor } from 'trex-torch/safetensors'
import type { ModelDescription } from '../checkpoints/modelDescription.js'
import { TrexError } from '../errors.js'
import { encoderOnnx } from '../onnx/encoderOnnx.js'
import { int8Onnx } from '../onnx/int8Onnx.js'
import { nodeRuntime } from '../onnx/nodeRuntime.js'
import {
  type CheckedBatch,
  type ImageBatch,
  type OnnxReport,
  onnxLimits,
  runBatches,
  verifyOnnx,
} from '../onnx/verifyOnnx.js'
import type { DeployedModel, Heads, Part } from './deployedModel.js'
import { missing } from './stateDict.js'

/** What weights and arithmetic of a graph are in. */
export const PRECISIONS = ['fp32', 'fp16', 'int8'] as const
export type GraphPrecision = (typeof PRECISIONS)[number]

/** Images whose outputs are known, and what computed them. */
export interface Verification {
  /** Expected are `features`, and `embedding` and `logits` where they are exported. */
  readonly batches: readonly CheckedBatch[]
  /** What computed the expected values: `libtorch 2.13, cpu`; null: there are none, and those of fp32 are the graph's. */
  readonly reference: string | null
  /** Where the images are from, in words. */
  readonly images: string
}

/** Images that the ranges of int8 activations are taken from. */
export interface Calibration {
  readonly batches: readonly ImageBatch[]
  /** Where they are from, in words. */
  readonly images: string
}

/** What was found, as it is written beside a graph. */
export interface VerifiedGraph extends OnnxReport {
  readonly precision: GraphPrecision
  /** Of int8: the images of `Calibration`; null: its weights alone are int8. */
  readonly calibration?: string | null
  readonly reference: string
  readonly source: string
}

/** The description of a graph with outputs for the parts. @throws TrexError for a part that the model does not have. */
export function graphDescription(
  { description, heads }: DeployedModel,
  parts: readonly Part[],
): ModelDescription {
  const { projector, classifier, prototypes, classes } = heads
  for (const part of parts)
    if (!heads[part] && !(part !== 'projector' && (classifier || prototypes))) missing(part, false)
  const embedding = parts.includes('projector') && projector !== null
  const logits = parts.includes('classifier') || parts.includes('prototypes')
  return {
    ...description,
    outputs: [
      'features',
      ...(embedding ? ['embedding' as const] : []),
      ...(logits ? ['logits' as const] : []),
    ],
    ...(logits && classes && { classes: [...classes] }),
  }
}

/** How a graph is made, and what it is compared with. */
export interface GraphRequest {
  readonly parts: readonly Part[]
  readonly precision: GraphPrecision
  readonly layout: 'trex' | 'transformers.js'
  /** Null: it is written unseen. */
  readonly verification: Verification | null
  /** Of int8; null: its weights alone are, and activations float32. */
  readonly calibration: Calibration | null
}

/**
 * Makes the ONNX file of a model, and runs it in ONNX Runtime on images whose outputs are known. Rejects with TrexError
 * when it is further from them than its precision allows, nothing but itself is there to compare it with, or ONNX
 * Runtime is missing.
 */
export async function verifiedGraph(
  model: DeployedModel,
  { parts, precision, layout, verification, calibration }: GraphRequest,
): Promise<{ bytes: Uint8Array; report: VerifiedGraph | null }> {
  const description = graphDescription(model, parts)
  const weights = { ...model.weights, rest: namedHeads(model.heads) }
  const options = { layout, temperature: model.heads.prototypes?.temperature ?? 0 }
  const graph = (wanted: 'fp32' | 'fp16') =>
    encoderOnnx(weights, description, { ...options, precision: wanted })
  const bytes =
    precision === 'int8'
      ? await int8Onnx(weights, description, calibration?.batches ?? null, options)
      : graph(precision)
  if (!verification) return { bytes, report: null }
  const features = layout === 'trex' ? 'features' : 'pooler_output'
  const names = [features, ...description.outputs.slice(1)]
  const known = verification.reference === null ? null : verification
  if (!known && precision === 'fp32')
    throw new TrexError('there is no libtorch here to compare the graph with', {
      hint: 'set it up (docs/install.md, `trex doctor`), or write the graph without a comparison: --unverified',
    })
  const batches = known
    ? renamed(known.batches, names)
    : await withGraph(graph('fp32'), verification.batches, names)
  const report = await verifyOnnx(bytes, batches, onnxLimits[precision], features)
  const reference = verification.reference ?? `the fp32 graph in ${report.runtime}`
  if (!report.passed)
    throw new TrexError(
      `the ${precision} graph is not what ${reference} computes: ${report.failures.join('; ')}`,
      { hint: HINTS[precision] },
    )
  const ranges = precision === 'int8' && { calibration: calibration?.images ?? null }
  return { bytes, report: { precision, reference, source: verification.images, ...ranges, ...report } }
}

const HINTS: Record<GraphPrecision, string> = {
  fp32: 'nothing was written; please report this',
  fp16: 'nothing was written; export it with --precision fp32',
  int8: 'nothing was written; name more images with --images, calibrate on others, or not at all: --calibrate none makes the weights alone int8',
}

/** The heads under the names that graphs know them by, whatever the file calls them. */
function namedHeads({ projector, prototypes, classifier }: Heads): Map<string, RawTensor> {
  const named = new Map([...(projector ?? [])].map(([name, tensor]) => [`projector.${name}`, tensor]))
  if (prototypes) named.set('prototypes.weight', prototypes.vectors)
  if (classifier) named.set('fc.weight', classifier.weight)
  if (classifier?.bias) named.set('fc.bias', classifier.bias)
  return named
}

/** Expected values under the names of the graph's outputs, of which the features have another in each layout. */
const renamed = (batches: readonly CheckedBatch[], names: readonly string[]): CheckedBatch[] =>
  batches.map((batch) => ({
    ...batch,
    expected: Object.fromEntries(
      names.map((name, i) => [name, batch.expected[i === 0 ? 'features' : name]!]),
    ),
  }))

/** What the fp32 graph itself computes. */
async function withGraph(
  bytes: Uint8Array,
  batches: readonly ImageBatch[],
  names: readonly string[],
): Promise<CheckedBatch[]> {
  const runtime = await nodeRuntime()
  const expected: CheckedBatch[] = []
  for (const batch of batches)
    expected.push({ ...batch, expected: await runBatches(runtime, bytes, [batch], names) })
  return expected
}
