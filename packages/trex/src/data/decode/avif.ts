import type { RgbImage } from '../pixels/image.js'
import { orient } from './orientation.js'

/** Quarter turns to the left, and then a mirror: 0 exchanges top and bottom, 1 left and right. */
interface Turn {
  quarters: number
  mirror: number | null
}

/** Boxes that hold boxes, and how many bytes come before those. */
const CONTAINERS: Record<string, number> = { meta: 4, iprp: 0, ipco: 0 }

/** Undoes the turn and the mirror that an AVIF file asks for and its decoder has applied. */
export function asStored(image: RgbImage, bytes: Uint8Array): RgbImage {
  const turn: Turn = { quarters: 0, mirror: null }
  findTurn(bytes, turn)
  const flipped = turn.mirror === null ? image : orient(image, turn.mirror === 0 ? 4 : 2)
  return orient(flipped, [1, 6, 3, 8][turn.quarters]!)
}

function findTurn(bytes: Uint8Array, turn: Turn): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at) || bytes.length - at
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
    const body = bytes.subarray(at + 8, at + length)
    const skipped = CONTAINERS[name]
    if (skipped !== undefined) findTurn(body.subarray(skipped), turn)
    if (name === 'irot') turn.quarters = body[0]! & 3
    if (name === 'imir') turn.mirror = body[0]! & 1
    if (length < 8) return
    at += length
  }
}

/** An image sequence whose first frame is also stored as a still image: named as such, so that libheif takes it. */
export function asStill(bytes: Uint8Array): Uint8Array {
  if (bytes[11] !== 's'.charCodeAt(0)) return bytes
  const copy = new Uint8Array(bytes)
  copy[11] = 'f'.charCodeAt(0)
  return copy
}
