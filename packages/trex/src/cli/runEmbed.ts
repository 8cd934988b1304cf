import { existsSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, extname, join } from 'node:path'
import { writeFileAtomic } from 'trex-torch/safetensors'
import type { ModelDescription } from '../checkpoints/modelDescription.js'
import { printable } from '../data/check/printable.js'
import { openWorkers, type Workers } from '../data/loader/workers.js'
import type { Sample } from '../data/sources/sample.js'
import { BATCH_SIZE, type OpenedSession, openSession } from '../embed/loadEncoder.js'
import { modelFingerprint, type OpenedModel, openModel } from '../embed/openModel.js'
import { TrexError } from '../errors.js'
import {
  type ComputeOptions,
  type ExtractedFeatures,
  type FeatureComputer,
  featuresToFile,
  type ImagePart,
} from '../features/computeFeatures.js'
import { type ExportedInfo, exportedInfo } from '../features/exportedInfo.js'
import {
  EXPORT_FORMATS,
  type ExportFormat,
  exportedFiles,
  exportFeatures,
} from '../features/exportFeatures.js'
import { dataFingerprint, type FeatureIdentity, identityChanges } from '../features/identity.js'
import { embedInputs } from './embedInputs.js'
import { type EncoderFlags, loadOptionsOf } from './embedOptions.js'
import { embedToStdout } from './embedToStdout.js'
import { checkWritable } from './evalFiles.js'
import { followExtraction } from './followExtraction.js'
import { print } from './print.js'
import { stopGently } from './stop.js'

/** The options of `trex embed` as commander gives them. */
export interface EmbedFlags extends EncoderFlags {
  out: string
  format?: ExportFormat
  onBad: 'fail' | 'skip'
  workers?: number
  json?: boolean
}

/** Does what `trex embed` was asked. */
export async function runEmbed(path: string, images: readonly string[], flags: EmbedFlags): Promise<void> {
  const toStdout = flags.out === '-'
  const target = toStdout ? null : targetOf(flags)
  if (target) checkWritable(dirname(target.base))
  const samples = await embedInputs(images)
  const model = openModel(path, loadOptionsOf(flags))
  const opened = await openSession(model, loadOptionsOf(flags))
  const { session, description } = opened
  using stopping = stopGently()
  await using pool = embedWorkers(description, flags)
  const computer = computerOf(path, opened)
  const options: ComputeOptions = {
    ...{ pool, batchSize: flags.batchSize ?? BATCH_SIZE, signal: stopping.signal },
    bad: { onBad: flags.onBad, maxBad: Number.POSITIVE_INFINITY },
  }
  try {
    if (!target) return await embedToStdout(samples, description.preprocess, computer, options)
    const part: ImagePart = {
      ...{ samples, classes: [], root: process.cwd(), name: 'all' },
      nameOf: ({ path }: Sample) => path,
    }
    const identity = identityOf(model, description, part, flags)
    const written = await embedToFile(target, identity, part, computer, options)
    const skipped = writeSkipped(written)
    await print(flags.json ? json(path, written, skipped) : text(written, skipped))
  } finally {
    await session.release()
  }
}

/** Where the features go, without the extension, and in which format. */
interface Target {
  readonly base: string
  readonly format: ExportFormat
}

function targetOf({ out, format: asked }: Pick<EmbedFlags, 'out' | 'format'>): Target {
  const extension = extname(out).slice(1).toLowerCase()
  const named = EXPORT_FORMATS.find((format) => format === extension)
  const format = asked ?? named
  if (!format)
    throw new TrexError(`${out} does not tell its format`, {
      hint: `call it .${EXPORT_FORMATS.join(', .')}, or give --format`,
    })
  return { base: named === format ? out.slice(0, -extension.length - 1) : out, format }
}

/** Threads that decode, and give way to those that compute (docs/decisions/0011-data-threads-give-way.md). */
function embedWorkers(
  { preprocess: { mean, std } }: ModelDescription,
  { workers = Math.min(4, availableParallelism()), autoOrient = false }: EmbedFlags,
): Workers {
  return openWorkers({
    ...{ workers, normalization: { mean, std }, decode: { autoOrient } },
    ...{ nice: 19, stallSeconds: 600 },
  })
}

function computerOf(path: string, { session, description }: OpenedSession): FeatureComputer {
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

function identityOf(
  model: OpenedModel,
  { preprocess }: ModelDescription,
  { samples, root, nameOf }: ImagePart,
  { precision = 'fp32', autoOrient = false }: EmbedFlags,
): FeatureIdentity {
  return {
    model: modelFingerprint(model),
    data: dataFingerprint(root, samples, [], { nameOf }),
    transform: { ...preprocess, autoOrient },
    precision,
  }
}

/** What was written, or was there already. */
interface Written extends Omit<ExtractedFeatures, 'file'> {
  readonly files: readonly string[]
}

async function embedToFile(
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

/** Writes which images were left out beside the features; its path, null where there are none. */
function writeSkipped({ files, info: { leftOut } }: Written): string | null {
  const path = `${files[0]}.skipped.json`
  if (leftOut.length === 0) {
    rmSync(path, { force: true })
    return null
  }
  const list = leftOut.map(({ path, reason }) => ({ path, reason }))
  writeFileAtomic(path, [new TextEncoder().encode(`${JSON.stringify(list, null, 2)}\n`)])
  return path
}

/** Images left out that are named in the summary; all of them are in the file. */
const SHOWN = 20

function text({ files, images, dim, found, info }: Written, skipped: string | null): string {
  const { leftOut, computed } = info
  const lines = leftOut.slice(0, SHOWN).map(({ reason }) => `left out: ${printable(reason)}`)
  if (leftOut.length > SHOWN) lines.push(`left out: ${leftOut.length - SHOWN} more`)
  if (skipped) lines.push(`all that is left out is in ${skipped}`)
  const without = leftOut.length ? `, ${leftOut.length} left out` : ''
  const how = found ? 'was there already' : computed
  return [...lines, `${files.join(', ')}: ${images} x ${dim}${without} (${how})`].join('\n')
}

function json(model: string, { files, images, dim, found, info }: Written, skipped: string | null): string {
  const { identity, encoder, computed, leftOut } = info
  return JSON.stringify(
    { model, encoder, files, images, dim, found, computed, identity, leftOut, skipped },
    null,
    2,
  )
}
