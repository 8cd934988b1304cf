import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { createInterface } from 'node:readline'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { openSafetensors, SafetensorsError } from 'trex-torch/safetensors'
import { z } from 'zod'
import type { ByteSource } from '../checkpoints/byteSource.js'
import { openFileSource } from '../checkpoints/fileSource.js'
import { readZip } from '../checkpoints/zip.js'
import { TrexError } from '../errors.js'
import { type FeatureInfo, floats, infoSchema, readFeatureFile } from './featureFile.js'
import { arrayIn, textsIn } from './readFeatures.js'

/** Feature vectors on disk, read, with what they are of. */
export interface StoredVectors {
  /** [n, dim], row-major. */
  readonly features: Float32Array
  readonly dim: number
  /** [n]; null in files of others that have none. */
  readonly paths: readonly string[] | null
  /** Null in files of others. */
  readonly info: FeatureInfo | null
}

const HINT = 'give what `trex embed` or `trex extract` wrote: .npy, .npz, .parquet, .jsonl or .safetensors'

/** Whether a file holds feature vectors, by its name and for .npz and .safetensors by what is in it. */
export function isVectorFile(path: string): boolean {
  const extension = extname(path).toLowerCase()
  if (['.npy', '.parquet', '.jsonl'].includes(extension)) return true
  try {
    if (extension === '.npz') {
      using source = openFileSource(path)
      return readZip(source).has('features.npy')
    }
    if (extension !== '.safetensors') return false
    using reader = openSafetensors(path)
    return reader.entries.has('features') && reader.entries.has('path_offsets')
  } catch (error) {
    if (error instanceof TrexError || error instanceof SafetensorsError) return false
    throw error
  }
}

/**
 * Reads feature vectors of any format that `trex embed` and `trex extract` write, with or without labels.
 * Rejects with TrexError when a file is missing, damaged, or holds something else.
 */
export async function readVectors(path: string): Promise<StoredVectors> {
  if (!existsSync(path)) throw new TrexError(`there is no feature file ${path}`, { hint: 'check the path' })
  switch (extname(path).toLowerCase()) {
    case '.safetensors':
      return readFeatureFile(path)
    case '.npz':
      return readNpz(path)
    case '.npy':
      return readNpy(path)
    case '.parquet':
      return readParquet(path)
    case '.jsonl':
      return readJsonLines(path)
    default:
      throw new TrexError(`${path} is no feature file`, { hint: HINT })
  }
}

function readNpz(path: string): StoredVectors {
  using source = openFileSource(path)
  const members = readZip(source)
  const at = (name: string) => members.get(`${name}.npy`)
  const [rows, paths, info] = [at('features') ?? at('X'), at('paths'), at('info')]
  if (!rows) throw new TrexError(`${path} holds no features`, { hint: HINT })
  return {
    ...matrixIn(source, rows.offset, rows.size, path),
    paths: paths ? textsIn(source, paths.offset, paths.size, path) : null,
    info: info ? infoIn(textsIn(source, info.offset, info.size, path)[0]!) : null,
  }
}

function readNpy(path: string): StoredVectors {
  using source = openFileSource(path)
  const base = path.replace(/(\.features)?\.npy$/i, '')
  const [paths, info] = [`${base}.paths.npy`, `${base}.json`]
  let texts: string[] | null = null
  if (existsSync(paths)) {
    using beside = openFileSource(paths)
    texts = textsIn(beside, 0, beside.size, paths)
  }
  return { ...matrixIn(source, 0, source.size, path), paths: texts, info: infoBeside(info) }
}

/** A matrix of float32 or float64 in numpy's format. */
function matrixIn(source: ByteSource, offset: number, size: number, path: string) {
  const { type, shape, data } = arrayIn(source, offset, size, path)
  const [n, dim] = shape
  if (!(type === '<f4' || type === '<f8') || shape.length !== 2 || !dim)
    throw new TrexError(`${path} holds [${shape}] of type ${type}, not features [n, dim]`, {
      hint: 'save float32 features, a row an image',
    })
  const bytes = data.slice().buffer // its elements must begin at a multiple of their size
  const features = floats(path, n! * dim)
  features.set(type === '<f4' ? new Float32Array(bytes) : new Float64Array(bytes))
  return { features, dim }
}

async function readParquet(path: string): Promise<StoredVectors> {
  try {
    const file = await asyncBufferFromFile(path)
    const metadata = await parquetMetadataAsync(file)
    const { key_value_metadata: pairs, num_rows, row_groups, schema } = metadata
    const vectors = gatherer(path, Number(num_rows))
    const names = ['features', 'path'].filter((column) => schema.some(({ name }) => name === column))
    let rowStart = 0
    for (const { num_rows: rows } of row_groups) {
      const rowEnd = rowStart + Number(rows)
      // One column at a time: of several that are damaged the reader leaves the errors of all but one unhandled.
      const columns: Record<string, unknown>[][] = []
      for (const column of names)
        columns.push(await parquetReadObjects({ file, metadata, columns: [column], rowStart, rowEnd }))
      for (const [i, row] of (columns[0] ?? []).entries()) vectors.add({ ...row, ...columns[1]?.[i] })
      rowStart = rowEnd
    }
    return vectors.all(infoIn(pairs?.find(({ key }) => key === 'trex.features')?.value))
  } catch (cause) {
    if (cause instanceof TrexError) throw cause
    throw new TrexError(`${path} cannot be read: ${(cause as Error).message}`, { hint: HINT, cause })
  }
}

async function readJsonLines(path: string): Promise<StoredVectors> {
  const vectors = gatherer(path)
  let number = 0
  for await (const line of createInterface({ input: createReadStream(path) })) {
    number++
    if (line.trim() === '') continue
    let row: unknown
    try {
      row = JSON.parse(line)
    } catch (cause) {
      throw new TrexError(`line ${number} of ${path} is no JSON`, { hint: HINT, cause })
    }
    vectors.add(row)
  }
  return vectors.all(infoBeside(`${path}.json`))
}

const rowSchema = z.object({ path: z.string().optional(), features: z.array(z.number()) })

/** Gathers rows into one array, which grows as needed. */
function gatherer(path: string, expected = 1024) {
  const paths: string[] = []
  let features: Float32Array = new Float32Array(0)
  let [n, dim] = [0, 0]
  return {
    add(value: unknown) {
      const { data: row } = rowSchema.safeParse(value)
      dim ||= row?.features.length ?? 0
      if (!row || row.features.length !== dim || dim === 0)
        throw new TrexError(`row ${n} of ${path} has no \`features\` of the length of the others`, {
          hint: HINT,
        })
      if ((n + 1) * dim > features.length) {
        const larger = floats(path, Math.max(expected, 2 * n) * dim)
        larger.set(features)
        features = larger
      }
      features.set(row.features, n++ * dim)
      if (row.path !== undefined) paths.push(row.path)
    },
    all(info: FeatureInfo | null): StoredVectors {
      if (n === 0) throw new TrexError(`${path} holds no features`, { hint: HINT })
      return {
        ...{ features: features.subarray(0, n * dim), dim, info },
        paths: paths.length === n ? paths : null,
      }
    },
  }
}

/** What exported features say of themselves; null where it is of others. */
function infoIn(text: string | undefined): FeatureInfo | null {
  try {
    return infoSchema.extend({ images: z.number(), dim: z.number() }).parse(JSON.parse(text ?? ''))
  } catch {
    return null
  }
}

const infoBeside = (path: string) => (existsSync(path) ? infoIn(readFileSync(path, 'utf8')) : null)
