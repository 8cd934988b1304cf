/** JPEG files to run the data benchmark on where no real ones are given. */

import { createRequire } from 'node:module'
import { join } from 'node:path'

const sharp = createRequire(new URL('../packages/trex/package.json', import.meta.url))('sharp')

/**
 * Writes `count` pictures of 500 x 375 pixels, blurred noise with some grain, and returns the folder.
 * @param {string} folder
 * @param {number} count
 */
export async function sampleJpegs(folder, count) {
  for (let i = 0; i < count; i++) {
    let state = i + 1
    const noise = Uint8Array.from({ length: 25 * 19 * 3 }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state >>> 24
    })
    const coarse = sharp(noise, { raw: { width: 25, height: 19, channels: 3 } }).resize(500, 375, {
      fit: 'fill',
    })
    await coarse.jpeg({ quality: 90 }).toFile(join(folder, `${i}.jpg`))
  }
  return folder
}
