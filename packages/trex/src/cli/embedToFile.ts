import { existsSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { ModelDescription } from '../checkpoints/modelDescription.js'
import { openWorkers, type Workers } from '../data/loader/workers.js'
import type { OpenedSession } from '../embed/loadEncoder.js'
import { modelFingerprint, type OpenedModel } from '../embed/openModel.js'
import { TrexError } from '../errors.js'
import {
  type ComputeOptions,
  type ExtractedFeatures,
  type FeatureComputer,
  featuresToFile,
  type ImagePart,
} from '../features/computeFeatures.js'
import { type ExportedInfo, exportedInfo } from '../features/exportedInfo.js'
import { type ExportFormat, exportedFiles, exportFeatures } from '../features/exportFeatures.js'
import { dataFingerprint, type FeatureIdentity, identityChanges } from '../features/identity.js'
import type { EncoderFlags } from './embedOptions.js'
import { followExtraction } from './followExtraction.js'

/** Flags that say how images are read and computed. */
type ReadingFlags = Pick<EncoderFlags, 'precision' | 'autoOrient'> & { readonly workers?: number }

/** Where features go: without the extension, and the format. */
export interface Target {
  readonly base: string
  readonly format: ExportFormat
}

/** Threads that decode, and give way to those that compute (docs/decisions/0011-data-threads-give-way.md). */
export function embedWorkers(
  { preprocess: { mean, std } }: ModelDescription,
  { workers = Math.min(4, availableParallelism()), autoOrient = false }: ReadingFlags,
): Workers {
  return openWorkers({
    ...{ workers, normalization: { mean, std }, decode: { autoOrient } },
    ...{ nice: 19, stallSeconds: 600 },
  })
}

/** What computes the features of a model that was opened, whose path is `path`. */
export function computerOf(path: string, { session, description }: OpenedSession): FeatureComputer {
  const { featureDim: dim } = description
  return {
    ...{ dim, encoder: `${description.encoder ?? 'graph'} of ${path}`, computed: session.engine },
    async rows({ images, size }) {
      const { features, shape } = await session.run(images as Float32Array, size)
      if (shape[0] !== size || shape[1] !== dim)
        throw new TrexError(`the model gives [${shape}] for ${size} images, not [${size}, ${dim}]`, {
          hint: 'give --batch-size as it was exported with, if that is fixed',
        })
      return features
    },
  }
}

/** What decides the features. */
export function identityOf(
  model: OpenedModel,
  { preprocess }: ModelDescription,
  { samples, root, nameOf }: ImagePart,
  { precision = 'fp32', autoOrient = false }: ReadingFlags,
): FeatureIdentity {
  return {
    model: modelFingerprint(model),
    data: dataFingerprint(root, samples, [], { nameOf }),
    transform: { ...preprocess, autoOrient },
    precision,
  }
}

/** What was written, or was there already. */
export interface Written extends Omit<ExtractedFeatures, 'file'> {
  readonly files: readonly string[]
}

/**
 * Writes the features of images without classes, unless they are there; goes on where an earlier process was stopped.
 * Rejects with TrexError as `featuresToFile` does, and for a file with other features.
 */
export async function embedToFile(
  { base, format }: Target,
  identity: FeatureIdentity,
  part: ImagePart,
  computer: FeatureComputer,
  options: ComputeOptions,
): Promise<Written> {
  const files = exportedFiles(base, format, false)
  const there = files.every(existsSync) ? await exportedInfo(base, format) : null
  if (there) return found(there, identity, files)
  // On the way there, under a name that is nobody's.
  const file = join(dirname(base), `.${basename(base)}.${format}.features`)
  const done = await followExtraction('embed', featuresToFile(file, identity, part, computer, options))
  exportFeatures(file, base, format)
  rmSync(file)
  return { ...done, found: false, files }
}

function found(
  { images, dim, ...info }: ExportedInfo,
  identity: FeatureIdentity,
  files: readonly string[],
): Written {
  const changes = identityChanges(info.identity, identity)
  if (changes.length)
    throw new TrexError(`${files[0]} holds features of another ${changes.join(', ')}`, {
      hint: 'choose another --out, or remove the file',
    })
  return { files, info, images, dim, found: true }
}
