import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { printable } from '../data/check/printable.js'
import { TrexError } from '../errors.js'
import type { ExtractedFeatures, ImagePart } from '../features/computeFeatures.js'
import { type ExportedInfo, exportedInfo } from '../features/exportedInfo.js'
import { type ExportFormat, exportedFiles, exportFeatures } from '../features/exportFeatures.js'
import { type ExtractionOptions, extractCached, extractToFile, identityOf } from '../features/extract.js'
import { copyFeatureFile } from '../features/featureFile.js'
import { type FeatureIdentity, identityChanges } from '../features/identity.js'
import { describeInit } from '../train/initFrom.js'
import { type OpenEncoder, openEncoder } from '../train/openEncoder.js'
import { openDataWorkers } from '../train/reading.js'
import { checkWritable } from './evalFiles.js'
import { batchSizeFor, withExactFeatures } from './extractDefaults.js'
import { partsOfData, partsOfSet, type Split } from './extractParts.js'
import { type FoundModel, findModel } from './findModel.js'
import { followExtraction } from './followExtraction.js'
import { imageSizeFor } from './imageSize.js'
import { print } from './print.js'
import type { SettingFlags } from './settingFlags.js'
import { stopGently } from './stop.js'

/** The options of `trex extract` as commander gives them. */
export interface ExtractFlags extends SettingFlags {
  out: string
  split: Split
  dataset?: string
  checkpoint?: string
  size?: number
  format: 'safetensors' | ExportFormat
  cache?: string
  json?: boolean
}

/** What was done with one part of the data. */
interface Written extends Omit<ExtractedFeatures, 'file'> {
  readonly part: string
  readonly files: readonly string[]
}

/** Does what `trex extract` was asked. */
export async function runExtract(path: string, data: string, flags: ExtractFlags): Promise<void> {
  const model = findModel(path, flags.checkpoint, withExactFeatures(flags))
  const { settings } = model
  const size = imageSizeFor(path, model, flags.size)
  checkWritable(flags.out)
  if (flags.cache !== undefined) checkWritable(flags.cache, '--cache')
  const parts = flags.dataset
    ? await partsOfSet(flags.dataset, data, flags.split)
    : await partsOfData(data, settings, flags.split)
  using opened = openEncoder(settings, model.weights)
  if (opened.loaded && !model.run) for (const line of describeInit(opened.loaded)) console.error(line)
  const { device } = opened.precision
  await using pool = openDataWorkers(settings, { device })
  using stopping = stopGently()
  const options: ExtractionOptions = {
    ...{ size, pool, bad: settings.data, signal: stopping.signal },
    batchSize: batchSizeFor(flags, settings, device),
    normalization: settings.normalization,
    autoOrient: settings.data.autoOrient,
  }
  const written: Written[] = []
  for (const part of parts) written.push(await extractPart(opened, part, options, flags))
  for (const { info } of written)
    for (const { reason } of info.leftOut) console.error(`left out: ${printable(reason)}`)
  await print(flags.json ? json(path, model, opened, written) : text(written))
}

/** Extracts a part, unless what is asked for is there already. */
async function extractPart(
  opened: OpenEncoder,
  part: ImagePart,
  options: ExtractionOptions,
  { out, cache, format }: ExtractFlags,
): Promise<Written> {
  const base = join(out, part.name)
  if (format !== 'safetensors') {
    const there = await exportedInfo(base, format)
    if (there) return found(there, part, identityOf(opened, part, options), exportedFiles(base, format))
  }
  // Of other formats it is on the way there, and under a name that is nobody's.
  const file = join(out, format === 'safetensors' ? `${part.name}.safetensors` : `.${part.name}.features`)
  const cached = cache !== undefined && !existsSync(file)
  const done = await followExtraction(
    `extract ${part.name}`,
    cached ? extractCached(cache, opened, part, options) : extractToFile(file, opened, part, options),
  )
  if (format === 'safetensors') {
    if (cached) copyFeatureFile(done.file, file)
    return { ...done, part: part.name, files: [file] }
  }
  const files = exportFeatures(done.file, base, format)
  if (!cached) rmSync(file)
  return { ...done, found: cached && done.found, part: part.name, files }
}

/** Features that an earlier command has written. @throws TrexError when they are of something else. */
function found(
  { images, dim, ...info }: ExportedInfo,
  { name: part }: ImagePart,
  identity: FeatureIdentity,
  files: readonly string[],
): Written {
  const changes = identityChanges(info.identity, identity)
  if (changes.length)
    throw new TrexError(`${files.at(-1)} holds features of another ${changes.join(', ')}`, {
      hint: 'choose another --out, or remove the file',
    })
  return { part, files, info, images, dim, found: true }
}

function text(written: readonly Written[]): string {
  return written
    .map(({ files, images, dim, found, info }) => {
      const without = info.leftOut.length ? `, ${info.leftOut.length} left out` : ''
      return `${files.join(', ')}: ${images} x ${dim}${without}${found ? ' (was there already)' : ''}`
    })
    .join('\n')
}

function json(
  path: string,
  { weights }: FoundModel,
  opened: OpenEncoder,
  written: readonly Written[],
): string {
  const { describe, fingerprint } = opened
  const parts = written.map(({ part, files, images, dim, found, info }) => {
    const { identity, leftOut, computed } = info
    return { part, files, images, dim, found, computed, ...identity, leftOut }
  })
  return JSON.stringify({ model: path, weights, encoder: describe, fingerprint, parts }, null, 2)
}
