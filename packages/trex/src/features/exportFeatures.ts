import { openSafetensors, writeFileAtomic } from 'trex-torch/safetensors'
import { TrexError } from '../errors.js'
import { checkFeatureFile, readPaths, slices } from './featureFile.js'
import { npyHeader } from './npy.js'
import { type ZipMember, zipChunks } from './zipWrite.js'

/** Formats of features beside safetensors. */
export const EXPORT_FORMATS = ['npy', 'npz'] as const

/**
 * Writes the content of a feature file as numpy's arrays: `features` <f4 [n, dim], `labels` <i8 [n] and `paths` |S [n]
 * (UTF-8). As npz they are in NAME.npz with `info`, JSON; as npy in NAME.features.npy, NAME.labels.npy, NAME.paths.npy and
 * NAME.json. One piece at a time is in memory, beside the paths. What was written.
 * @throws TrexError when the file is damaged or these cannot be written.
 */
export function exportFeatures(
  file: string,
  base: string,
  format: (typeof EXPORT_FORMATS)[number],
): string[] {
  const { images, dim, ...info } = checkFeatureFile(file)
  using reader = openSafetensors(file)
  const raw = (name: string): (() => Iterable<Uint8Array>) => {
    const { begin, end } = reader.entries.get(name)!
    return () => slices(file, reader.dataStart + begin, reader.dataStart + end)
  }
  const text = new TextEncoder().encode(`${JSON.stringify(info)}\n`)
  const arrays: [name: string, ZipMember['content'], size: number][] = [
    array('features', npyHeader('<f4', [images, dim]), raw('features'), images * dim * 4),
    array('labels', npyHeader('<i8', [images]), raw('labels'), images * 8),
    pathsArray(readPaths(reader)),
  ]
  try {
    if (format === 'npz') {
      const infoArray = array('info', npyHeader(`|S${text.length}`, []), () => [text], text.length)
      const members = [...arrays, infoArray].map(([name, content, size]) => ({
        name: `${name}.npy`,
        content,
        size,
      }))
      writeFileAtomic(`${base}.npz`, zipChunks(members))
      return [`${base}.npz`]
    }
    for (const [name, content] of arrays) writeFileAtomic(`${base}.${name}.npy`, content())
    writeFileAtomic(`${base}.json`, [text])
    return [...arrays.map(([name]) => `${base}.${name}.npy`), `${base}.json`]
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
