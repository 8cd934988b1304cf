import { openSafetensors, typedArrayOf, writeFileAtomic } from 'trex-torch/safetensors'
import { type ZipMember, zipChunks } from '../checkpoints/zipWrite.js'
import { TrexError } from '../errors.js'
import { checkFeatureFile, readPaths, slices } from './featureFile.js'
import { jsonLines } from './jsonLines.js'
import { npyHeader } from './npy.js'
import { parquetChunks } from './parquet.js'

/** Formats of features beside safetensors. */
export const EXPORT_FORMATS = ['npy', 'npz', 'parquet', 'jsonl'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** The files of a format, the one that is written last at the end; images without classes have no labels. */
export function exportedFiles(base: string, format: ExportFormat, labelled = true): string[] {
  if (format === 'jsonl') return [`${base}.jsonl`, `${base}.jsonl.json`]
  if (format !== 'npy') return [`${base}.${format}`]
  const parts = labelled ? ['.features', '.labels', '.paths'] : ['', '.paths']
  return [...parts.map((part) => `${base}${part}.npy`), `${base}.json`]
}

/**
 * Writes the content of a feature file as numpy's arrays: `features` <f4 [n, dim], `labels` <i8 [n] and `paths` |S [n]
 * (UTF-8). As npz they are in NAME.npz with `info`, JSON; as npy in NAME.features.npy, NAME.labels.npy, NAME.paths.npy and
 * NAME.json; as parquet in NAME.parquet, a row an image; as jsonl in NAME.jsonl, a line an image, and NAME.jsonl.json.
 * Features without classes have no labels, and are NAME.npy. One piece at a time is in memory, beside the paths.
 * @returns the files written
 * @throws TrexError when the file is damaged or these cannot be written.
 */
export function exportFeatures(file: string, base: string, format: ExportFormat): string[] {
  const { images, dim, ...info } = checkFeatureFile(file)
  using reader = openSafetensors(file)
  const raw = (name: string): (() => Iterable<Uint8Array>) => {
    const { begin, end } = reader.entries.get(name)!
    return () => slices(file, reader.dataStart + begin, reader.dataStart + end)
  }
  const json = JSON.stringify({ ...info, images, dim })
  const text = new TextEncoder().encode(`${json}\n`)
  const labelled = info.classes.length > 0
  const paths = readPaths(reader)
  const at = reader.dataStart + reader.entries.get('features')!.begin
  const rows = (row: number, count: number) => floatsAt(file, at + row * dim * 4, count * dim)
  const files = exportedFiles(base, format, labelled)
  const arrays: [name: string, content: ZipMember['content'], size: number][] = [
    array('features', npyHeader('<f4', [images, dim]), raw('features'), images * dim * 4),
    ...(labelled ? [array('labels', npyHeader('<i8', [images]), raw('labels'), images * 8)] : []),
    pathsArray(paths),
  ]
  try {
    if (format === 'parquet' || format === 'jsonl') {
      const labels = labelled
        ? Int32Array.from(typedArrayOf(reader.read('labels')) as BigInt64Array, Number)
        : null
      const table = { dim, paths, labels, classes: info.classes, features: rows, info: json }
      writeFileAtomic(files[0]!, format === 'parquet' ? parquetChunks(table) : jsonLines(table))
    } else if (format === 'npz') {
      const infoArray = array('info', npyHeader(`|S${text.length}`, []), () => [text], text.length)
      const members = [...arrays, infoArray].map(([name, content, size]) => ({
        name: `${name}.npy`,
        content,
        size,
      }))
      writeFileAtomic(files[0]!, zipChunks(members))
    } else for (const [i, [, content]] of arrays.entries()) writeFileAtomic(files[i]!, content())
    if (format === 'npy' || format === 'jsonl') writeFileAtomic(files.at(-1)!, [text])
    return files
  } catch (cause) {
    throw new TrexError(`${base}.${format} cannot be written: ${(cause as Error).message}`, {
      hint: 'free some space or choose another --out',
      cause,
    })
  }
}

function array(
  name: string,
  header: Uint8Array,
  data: () => Iterable<Uint8Array>,
  bytes: number,
): [string, ZipMember['content'], number] {
  const content = function* () {
    yield header
    yield* data()
  }
  return [name, content, header.length + bytes]
}

/** `count` float32 values at a place of a file. */
function floatsAt(file: string, begin: number, count: number): Float32Array {
  const values = new Float32Array(count)
  const bytes = new Uint8Array(values.buffer)
  let at = 0
  for (const piece of slices(file, begin, begin + bytes.length)) {
    bytes.set(piece, at)
    at += piece.length
  }
  return values
}

/** The paths in as many bytes each as the longest has. */
function pathsArray(paths: readonly string[]): ReturnType<typeof array> {
  const encoder = new TextEncoder()
  const encoded = paths.map((path) => encoder.encode(path))
  const width = encoded.reduce((most, { length }) => Math.max(most, length), 1)
  const data = function* () {
    for (const path of encoded) {
      const item = new Uint8Array(width)
      item.set(path)
      yield item
    }
  }
  return array('paths', npyHeader(`|S${width}`, [paths.length]), data, paths.length * width)
}
