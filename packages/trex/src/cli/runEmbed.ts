import { rmSync } from 'node:fs'
import { dirname, extname } from 'node:path'
import { writeFileAtomic } from 'trex-torch/safetensors'
import { printable } from '../data/check/printable.js'
import type { Sample } from '../data/sources/sample.js'
import { BATCH_SIZE, openSession } from '../embed/loadEncoder.js'
import { openModel } from '../embed/openModel.js'
import { TrexError } from '../errors.js'
import type { ComputeOptions, ImagePart } from '../features/computeFeatures.js'
import { EXPORT_FORMATS, type ExportFormat } from '../features/exportFeatures.js'
import { embedInputs } from './embedInputs.js'
import { type EncoderFlags, loadOptionsOf } from './embedOptions.js'
import {
  computerOf,
  embedToFile,
  embedWorkers,
  identityOf,
  type Target,
  type Written,
} from './embedToFile.js'
import { embedToStdout } from './embedToStdout.js'
import { checkWritable } from './evalFiles.js'
import { lowerThreads } from './lowerThreads.js'
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
  await lowerThreads()
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
