import { BadImage } from './decodeError.js'

const MAX_CODES = 4096

/**
 * Unpacks GIF's variable-width LZW codes into `length` palette indices; codes after the last one are not looked at.
 * Throws BadImage when the data ends before, or has a code that is not in the table yet.
 */
export function unpackLzw(data: Uint8Array, codeSize: number, length: number): Uint8Array {
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
  const out = new Uint8Array(length)
  let filled = 0
  let width = codeSize + 1
  let next = end + 1
  let previous = -1
  let bits = 0
  let held = 0
  let at = 0
  while (filled < length) {
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
    let to = filled + lengths[code]! - 1
    filled = to + 1
    for (let c = code; to >= filled - lengths[code]!; to--, c = before[c]!)
      if (to < length) out[to] = last[c]!
    previous = code
  }
  return out
}
