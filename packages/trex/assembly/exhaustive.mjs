/**
 * Compares the conversions between RGB and HSV of all 2^24 colours with the plain ones; the
 * test suite does every 17th. After `npx tsc -b`:
 *
 *   node packages/trex/assembly/exhaustive.mjs
 */
import { hsvToRgb, Pixels, rgbToHsv } from '../dist/data/index.js'

const side = 4096
const all = { data: new Uint8Array(side * side * 3), width: side, height: side }
for (let color = 0, i = 0; i < all.data.length; color++, i += 3) {
  all.data[i] = color >> 16
  all.data[i + 1] = color >> 8
  all.data[i + 2] = color
}

const pixels = new Pixels()
let wrong = 0

/** Counts the colours that the plain conversion and the crop of `pixels` differ in. */
function compare(name, convert) {
  const { data } = pixels.read()
  const expected = new Uint8Array(3)
  let different = 0
  for (let i = 0; i < data.length; i += 3) {
    convert(all.data[i], all.data[i + 1], all.data[i + 2], expected, 0)
    if (data[i] !== expected[0] || data[i + 1] !== expected[1] || data[i + 2] !== expected[2]) different++
  }
  console.log(`${name}: ${different} of ${side * side} colours differ`)
  wrong += different
}

pixels.load(all)
pixels.resize(side, side, 'bicubic')
pixels.rgbToHsv()
compare('rgbToHsv', rgbToHsv)
pixels.resize(side, side, 'bicubic')
pixels.hsvToRgb()
compare('hsvToRgb', hsvToRgb)
process.exitCode = wrong === 0 ? 0 : 1
