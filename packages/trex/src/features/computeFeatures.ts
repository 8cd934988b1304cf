import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { removeTemporaries } from 'trex-torch/safetensors'
import { printable } from '../data/check/printable.js'
import { type BadImagePolicy, collectBadImages } from '../data/loader/badImages.js'
import { type EvalBatch, evalBatches } from '../data/loader/loader.js'
import type { Workers } from '../data/loader/workers.js'
import type { EvalTransform } from '../data/pixels/evalTransform.js'
import type { Sample, SampleStream } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import { sampleName } from '../train/run.js'
import { checkFeatureFile, type FeatureInfo, writeFeatureFile } from './featureFile.js'
import { type FeatureIdentity, identityChanges } from './identity.js'
import { openPartial, removePartial } from './partial.js'

/** The images to extract features of: one part of a data set. */
export interface ImagePart {
  readonly samples: readonly Sample[]
  readonly classes: readonly string[]
  /** What stored paths are relative to. */
  readonly root: string
  /** `train`, `val`, ... */
  readonly name: string
  readonly stream?: SampleStream
  /** What a sample is called in the file; default: its path relative to `root`. */
  readonly nameOf?: (sample: Sample) => string
}

/** What computes features: the engine, or ONNX Runtime. */
export interface FeatureComputer {
  readonly dim: number
  /** The encoder, and what computes, in words. */
  readonly encoder: string
  readonly computed: string
  /** The features of a batch [B, 3, S, S], [B, dim]. */
  rows(batch: EvalBatch): Float32Array | Promise<Float32Array>
}

/** How images are read while features are computed. */
export interface ComputeOptions {
  readonly batchSize: number
  /** Threads that read images as the identity says. */
  readonly pool: Workers
  readonly bad: BadImagePolicy
  readonly signal?: AbortSignal
}

/** How far an extraction is, in images; those before `resumedAt` are of an earlier process. */
export interface ExtractionProgress {
  readonly done: number
  readonly total: number
  readonly resumedAt: number
}

/** Features that are on disk. */
export interface ExtractedFeatures {
  readonly file: string
  readonly info: FeatureInfo
  readonly images: number
  readonly dim: number
  /** Whether they were there already. */
  readonly found: boolean
}

/**
 * Writes the features of a part into a feature file, unless it holds them already; goes on where an earlier process was
 * stopped, to the same bytes. Rejects with TrexError when the file holds other features, is damaged, or cannot be
 * written, when a feature is not finite, and for bad images as the policy says.
 */
export async function* featuresToFile(
  file: string,
  identity: FeatureIdentity,
  part: ImagePart,
  computer: FeatureComputer,
  options: ComputeOptions,
): AsyncGenerator<ExtractionProgress, ExtractedFeatures, void> {
  if (part.samples.length === 0) throw new TrexError(`there are no images in part ${part.name}`)
  return existsSync(file) ? found(file, identity) : yield* computed(file, identity, part, computer, options)
}

function found(file: string, identity: FeatureIdentity): ExtractedFeatures {
  const { images, dim, ...info } = checkFeatureFile(file)
  const changes = identityChanges(info.identity, identity)
  if (changes.length)
    throw new TrexError(`${file} holds features of another ${changes.join(', ')}`, {
      hint: 'choose another --out, or remove the file',
    })
  removePartial(file) // a process was killed after the last byte
  return { file, info, images, dim, found: true }
}

async function* computed(
  file: string,
  identity: FeatureIdentity,
  part: ImagePart,
  { dim, encoder, computed, rows: rowsOf }: FeatureComputer,
  { batchSize, pool, bad: policy, signal }: ComputeOptions,
): AsyncGenerator<ExtractionProgress, ExtractedFeatures, void> {
  const { samples, root } = part
  const { nameOf = (sample) => sampleName(root, sample) } = part
  mkdirSync(dirname(file), { recursive: true })
  using partial = openPartial(file, { identity, batchSize, dim, computed })
  removeTemporaries(file)
  const { resumedAt } = partial
  const bad = collectBadImages(
    policy,
    partial.leftOut.map(({ path, reason }) => [path, reason]),
  )
  const missing = (from: number, to: number, have: ReadonlySet<number>) => {
    const indices = Array.from({ length: to - from }, (_, i) => from + i).filter((i) => !have.has(i))
    return indices.map((index) => {
      const { path } = samples[index]!
      return { index, path, reason: bad.skipped.get(path) ?? 'it could not be read' }
    })
  }
  let done = resumedAt
  const { resize, crop, filter } = identity.transform satisfies EvalTransform
  const rest = samples.slice(resumedAt) // whole batches are done: those that follow are the same
  const reading = {
    batchSize,
    pool,
    bad,
    ...(part.stream && { stream: part.stream }),
    ...(signal && { signal }),
  }
  yield { done, total: samples.length, resumedAt }
  for await (const batch of evalBatches(rest, { resize, crop, filter, ...reading })) {
    const rows = await rowsOf(batch) // [B, D]
    batch.release()
    const indices = Array.from(batch.indices, (i) => resumedAt + i)
    checkFinite(rows, dim, (row) => samples[indices[row]!]!.path)
    const end = Math.min(samples.length, resumedAt + (batch.index + 1) * batchSize)
    partial.append(rows, end, missing(done, end, new Set(indices)))
    done = end
    await setImmediate() // batches that are ready would keep signals waiting
    yield { done, total: samples.length, resumedAt }
  }
  partial.append(new Float32Array(0), samples.length, missing(done, samples.length, new Set()))
  if (partial.rows === 0)
    throw new TrexError(`not one image of part ${part.name} could be read`, {
      hint: 'look at the data with `trex datasets check DATA`',
    })
  const out = new Set(partial.leftOut.map(({ index }) => index))
  const kept = samples.filter((_, i) => !out.has(i))
  const info: FeatureInfo = {
    version: 1,
    identity,
    ...{ encoder, computed },
    ...{ root, split: part.name, classes: [...part.classes] },
    leftOut: [...partial.leftOut],
  }
  writeFeatureFile(file, info, {
    dim,
    features: () => partial.read(),
    labels: Int32Array.from(kept, ({ label }) => label),
    paths: kept.map(nameOf),
  })
  partial.remove()
  return { file, info, images: kept.length, dim, found: false }
}

/** Refuses features that are no numbers. @throws TrexError that names the image. */
export function checkFinite(rows: Float32Array, dim: number, pathOf: (row: number) => string): void {
  const at = rows.findIndex((value) => !Number.isFinite(value))
  if (at < 0) return
  const row = Math.floor(at / dim)
  throw new TrexError(`feature ${at % dim} of ${printable(pathOf(row))} is ${rows[at]}`, {
    hint: 'the weights or the numbers of half precision are out of bounds: try other weights, or --precision fp32',
  })
}
