import { existsSync, readFileSync } from 'node:fs'
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet'
import { z } from 'zod'
import { openFileSource } from '../checkpoints/fileSource.js'
import { readZip } from '../checkpoints/zip.js'
import { TrexError } from '../errors.js'
import { type ExportFormat, exportedFiles } from './exportFeatures.js'
import { infoSchema } from './featureFile.js'
import { textsIn } from './readFeatures.js'

const exportedSchema = infoSchema.extend({ images: z.number(), dim: z.number() })

/** What exported features say of themselves. */
export type ExportedInfo = Readonly<z.infer<typeof exportedSchema>>

/**
 * What the features that `exportFeatures` wrote say of themselves; null where there are none, or not all.
 * @throws TrexError for files of others.
 */
export async function exportedInfo(base: string, format: ExportFormat): Promise<ExportedInfo | null> {
  const path = exportedFiles(base, format).at(-1)! // without the last they were not finished
  if (!existsSync(path)) return null
  try {
    return exportedSchema.parse(JSON.parse(await textOf(path, format)))
  } catch (cause) {
    throw new TrexError(`${path} exists already, and does not say of what it is`, {
      hint: 'remove it, or choose another --out',
      cause,
    })
  }
}

async function textOf(path: string, format: ExportFormat): Promise<string> {
  if (format === 'npy' || format === 'jsonl') return readFileSync(path, 'utf8')
  if (format === 'parquet') {
    const { key_value_metadata: pairs } = await parquetMetadataAsync(await asyncBufferFromFile(path))
    return pairs?.find(({ key }) => key === 'trex.features')?.value ?? ''
  }
  using source = openFileSource(path)
  const { offset, size, name } = readZip(source).get('info.npy')!
  return textsIn(source, offset, size, name)[0]!
}
