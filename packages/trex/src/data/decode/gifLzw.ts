import { BadImage } from './decodeError.js'

const MAX_CODES = 4096
/** Indices, or bytes of codes, after which a chunk is handed over. */
const CHUNK = 1 << 16

/**
 * Unpacks GIF's variable-width LZW codes into `length` palette indices, in chunks (empty ones too) that are valid until
 * the next is asked for; codes after the last index are not looked at. Throws BadImage when the data ends before, or has a code that is not
 * in the table yet.
 */
export function* unpackLzw(data: Uint8Array, codeSize: number, length: number): Generator<Uint8Array> {
  if (codeSize > 11) throw new BadImage(`its codes begin with ${codeSize} bits`)
  const clear = 1 << codeSize
  const end = clear + 1
  // A code stands for the string of the code `before` it and one more index, `last`.
  const before = new Uint16Array(MAX_CODES)
  const last = new Uint8Array(MAX_CODES)
  const first = new Uint8Array(MAX_CODES)
  const lengths = new Uint16Array(MAX_CODES)
  for (let code = 0; code < clear; code++) {
    last[code] = first[code] = code
    lengths[code] = 1
  }
  // A string is at most as long as there are codes.
  const out = new Uint8Array(CHUNK + MAX_CODES)
  let left = length
  let filled = 0
  let width = codeSize + 1
  let next = end + 1
  let previous = -1
  let bits = 0
  let held = 0
  let at = 0
  let turn = CHUNK
  while (filled < left) {
    if (filled >= CHUNK || at >= turn) {
      turn = at + CHUNK
      yield out.subarray(0, filled)
      left -= filled
      filled = 0
    }
    while (held < width) {
      if (at >= data.length) throw new BadImage('its pixels are cut off')
      bits |= data[at++]! << held
      held += 8
    }
    const code = bits & ((1 << width) - 1)
    bits >>= width
    held -= width
    if (code === clear) {
      width = codeSize + 1
      next = end + 1
      previous = -1
      continue
    }
    if (code === end) throw new BadImage('its pixels end early')
    const known = code < next
    if (!known && (previous < 0 || code > next)) throw new BadImage('its pixels are damaged')
    if (previous < 0 && code > end) throw new BadImage('its pixels are damaged')
    if (previous >= 0 && next < MAX_CODES) {
      before[next] = previous
      first[next] = first[previous]!
      last[next] = first[known ? code : previous]!
      lengths[next] = lengths[previous]! + 1
      next++
      if (next === 1 << width && width < 12) width++
    } else if (!known) throw new BadImage('its pixels are damaged')
    const start = filled
    filled += lengths[code]!
    for (let to = filled - 1, c = code; to >= start; to--, c = before[c]!) out[to] = last[c]!
    previous = code
  }
  yield out.subarray(0, left)
}
