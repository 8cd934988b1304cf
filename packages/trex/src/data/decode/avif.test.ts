import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { RgbImage } from '../pixels/image.js'
import { decodeImage } from './decode.js'
import { orient } from './orientation.js'

// A picture of 8x6 that is to be turned and then mirrored; the list of the primary item's properties ends its ipma.
const file = fileURLToPath(new URL('../../../test/golden/decode/exif-5.avif', import.meta.url))
const whole = new Uint8Array(readFileSync(file))
const list = Buffer.from(whole).indexOf('ipma') + 15
const [TURN, MIRROR] = [0x85, 0x86]

/** The file with the last two properties of its primary item replaced. */
function withLast(...properties: number[]): Uint8Array {
  const copy = new Uint8Array(whole)
  copy[list - 1] = 4 + properties.length
  copy.set(properties, list + 4)
  return copy
}

const both = async (bytes: Uint8Array): Promise<[stored: RgbImage, shown: RgbImage]> => [
  await decodeImage(bytes),
  await decodeImage(bytes, { autoOrient: true }),
]

describe('an AVIF is given as stored, whatever is done to the primary item', () => {
  const cases: [string, number[], number][] = [
    ['nothing, although the file has a turn and a mirror', [], 1],
    ['a turn', [TURN], 8],
    ['a mirror', [MIRROR], 4],
    ['a turn, then a mirror', [TURN, MIRROR], 5],
    ['a mirror, then a turn', [MIRROR, TURN], 7],
  ]
  test.each(cases)('%s', async (_, properties, orientation) => {
    const [expected] = await both(whole)
    const [stored, shown] = await both(withLast(...properties))
    expect([stored.width, stored.height]).toEqual([8, 6])
    expect(stored.data).toEqual(expected.data)
    expect(shown).toEqual(orient(stored, orientation))
  })

  test('more than one turn and one mirror are refused', async () => {
    const copy = withLast(TURN, MIRROR)
    copy[list + 3] = TURN
    await expect(decodeImage(copy)).rejects.toThrow(/not decoded: it is turned and mirrored 3 times/)
  })

  test('properties of another item are not undone', async () => {
    const [expected] = await both(whole)
    // A second entry, of item 2, takes the last two properties over: count 4, and then id 2, count 2.
    const grown = new Uint8Array([
      ...whole.subarray(0, list + 4),
      0,
      2,
      2,
      TURN,
      MIRROR,
      ...whole.subarray(list + 6),
    ])
    grown[list - 1] = 4
    grown[list - 4] = 2
    const moved = Buffer.from(grown)
    for (const name of ['meta', 'iprp', 'ipma']) {
      const at = moved.indexOf(name) - 4
      moved.writeUInt32BE(moved.readUInt32BE(at) + 3, at)
    }
    const place = moved.indexOf('iloc') + 4 + 4 + 2 + 2 + 2 + 2 + 2
    moved.writeUInt32BE(moved.readUInt32BE(place) + 3, place)
    const [stored, shown] = await both(moved)
    expect(stored.data).toEqual(expected.data)
    expect(shown).toEqual(stored)
  })
})
