import type { RgbImage } from '../pixels/image.js'
import type { Sample } from '../sources/sample.js'
import type { FillItem, FillSettings } from './fillRows.js'
import { readSample } from './readSample.js'

/** Reads the images of items, some of them before they are asked for. */
export interface ImageReader {
  /** The decoded image of an item; `keep` puts it into the cache. Rejects with DecodeError. */
  read(item: FillItem, keep: boolean): Promise<RgbImage>
  /** Begins to read the first of these items, which are asked for next. */
  ahead(items: Iterable<FillItem>): void
  /** Drops what was begun for items that are no longer wanted. */
  forget(items: Iterable<FillItem>): void
}

/** Images in the making while the crops of one are made: enough that a core never waits for the next. */
const AHEAD = 2

/**
 * A reader that keeps the first images that fit into `cacheBytes`: an epoch's order is random, so evicting any would
 * gain nothing.
 */
export function openReader({ decode, cacheBytes }: FillSettings): ImageReader {
  const cache = new Map<string, RgbImage>()
  const begun = new Map<FillItem, Promise<RgbImage>>()
  let room = cacheBytes

  async function decoded({ sample, bytes }: FillItem): Promise<RgbImage> {
    return cache.get(placeOf(sample)) ?? readSample(sample, decode, bytes)
  }

  return {
    async read(item, keep) {
      const ahead = begun.get(item)
      begun.delete(item)
      const image = await (ahead ?? decoded(item))
      const place = placeOf(item.sample)
      if (keep && image.data.length <= room && !cache.has(place)) {
        room -= image.data.length
        cache.set(place, image)
      }
      return image
    },
    ahead(items) {
      for (const item of items) {
        if (begun.size >= AHEAD) return
        if (begun.has(item)) continue
        const image = decoded(item)
        image.catch(() => {}) // it is awaited in its turn, if that comes
        begun.set(item, image)
      }
    },
    forget(items) {
      for (const item of items) begun.delete(item)
    },
  }
}

/** Where a sample's bytes are: names that are shown need not differ, as they leave out what is secret in an address. */
function placeOf({ path, at }: Sample): string {
  if (at === undefined || at.kind === 'pixels') return path
  return `${at.kind === 'slice' ? at.path : at.url}\0${at.offset}`
}
