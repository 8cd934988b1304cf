import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { isHttp } from '../data/sources/httpUrl.js'
import { openDataset } from '../data/sources/openDataset.js'
import type { ImageDataset } from '../data/sources/sample.js'
import { splitWords } from '../data/sources/shardSpec.js'
import type { Settings } from '../settings.js'

/** DATA as it is from any folder: paths and patterns of paths are made absolute, addresses stay. */
export function placeOf(data: string): string {
  if (existsSync(data)) return resolve(data)
  const [, prefix = '', text = ''] = /^(wds:)?(.*)$/s.exec(data) ?? []
  if (existsSync(text)) return prefix + resolve(text)
  const places = splitWords(text).map((word) => (isHttp(word) ? word : resolve(word)))
  // A folder with a space or comma in its name would not be read as one word.
  return places.length > 0 && places.every((place) => splitWords(place).length === 1)
    ? prefix + places.join(',')
    : data
}

/** Opens DATA as the settings of a run say. @throws TrexError as `openDataset` does. */
export function openData(data: string, settings: Settings): Promise<ImageDataset> {
  const { validation, seed, data: reading } = settings
  return openDataset(data, { valFraction: validation.fraction, seed, shuffleBuffer: reading.shuffleBuffer })
}
