import type { RgbImage } from '../pixels/image.js'
import { boxesOf, propertiesOf } from './avifBoxes.js'
import { BadImage } from './decodeError.js'
import { orient } from './orientation.js'

/** By irot's quarter turns to the left, the orientation that undoes them. */
const UNTURNED = [1, 6, 3, 8] as const
/** By imir's axis, 0 exchanges top and bottom, 1 left and right: the orientation that undoes it. */
const UNMIRRORED = [4, 2] as const

/**
 * Undoes the turn and the mirror that an AVIF file asks for, and that its decoder has applied in the order of the file.
 * Throws BadImage where there are more than these two.
 */
export function asStored(image: RgbImage, bytes: Uint8Array): RgbImage {
  const meta = boxesOf(bytes).get('meta')
  const turns = meta ? propertiesOf(meta).filter(({ name }) => name === 'irot' || name === 'imir') : []
  if (turns.length > 2) throw new BadImage(`it is turned and mirrored ${turns.length} times`, 'unsupported')
  return turns.reduceRight((turned, { name, body }) => {
    const value = body[0] ?? 0
    return orient(turned, name === 'irot' ? UNTURNED[value & 3]! : UNMIRRORED[value & 1]!)
  }, image)
}

/** An image sequence whose first frame is also stored as a still image: named as such, so that libheif takes it. */
export function asStill(bytes: Uint8Array): Uint8Array {
  if (bytes[11] !== 's'.charCodeAt(0)) return bytes
  const copy = new Uint8Array(bytes)
  copy[11] = 'f'.charCodeAt(0)
  return copy
}
