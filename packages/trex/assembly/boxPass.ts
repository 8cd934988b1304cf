import { packed, zipHigh16, zipLow16 } from './lanes'

// One pass of a box blur along 16 lines side by side, a line a byte lane: entry i of the lines is the 16 bytes at
// from + 16 * i. Before the first and behind the last entry lie radius + 1 copies of it.

/** Four values of sum * inner + edge * outer with 24 fractional bits, rounded; weights are high * 4096 + low. */
@inline
function weighed(sumAndEdge: v128, high: v128, low: v128): v128 {
  const product = i32x4.add(
    i32x4.shl(i32x4.dot_i16x8_s(sumAndEdge, high), 12),
    i32x4.dot_i16x8_s(sumAndEdge, low),
  )
  return i32x4.shr_u(i32x4.add(product, i32x4.splat(1 << 23)), 24)
}

@inline
function pairOf(inner: i32, outer: i32): v128 {
  return i32x4.splat(inner | (outer << 16))
}

/** The largest radius whose sums, 255 * (2 * radius + 1) at most, fit 16 bits. */
export const MAX_SHORT_RADIUS: i32 = 63

/** A pass with a radius of up to MAX_SHORT_RADIUS; `from` is the first copy before the first entry. */
export function shortBoxPass(
  from: usize,
  to: usize,
  toStep: usize,
  length: i32,
  radius: i32,
  inner: i32,
  outer: i32,
): void {
  const high = pairOf(inner >> 12, outer >> 12)
  const low = pairOf(inner & 4095, outer & 4095)
  let sumLow = i16x8.splat(0)
  let sumHigh = i16x8.splat(0)
  const reach = <usize>(2 * radius + 2) << 4
  for (let at: usize = 16; at < reach; at += 16) {
    const values = v128.load(from + at)
    sumLow = i16x8.add(sumLow, i16x8.extend_low_i8x16_u(values))
    sumHigh = i16x8.add(sumHigh, i16x8.extend_high_i8x16_u(values))
  }
  let before = v128.load(from)
  let beforeLow = i16x8.extend_low_i8x16_u(before)
  let beforeHigh = i16x8.extend_high_i8x16_u(before)
  const end = to + <usize>length * toStep
  do {
    const first = v128.load(from, 16)
    const behind = v128.load(from + reach)
    const firstLow = i16x8.extend_low_i8x16_u(first)
    const firstHigh = i16x8.extend_high_i8x16_u(first)
    const behindLow = i16x8.extend_low_i8x16_u(behind)
    const behindHigh = i16x8.extend_high_i8x16_u(behind)
    const edgeLow = i16x8.add(beforeLow, behindLow)
    const edgeHigh = i16x8.add(beforeHigh, behindHigh)
    v128.store(
      to,
      packed(
        weighed(zipLow16(sumLow, edgeLow), high, low),
        weighed(zipHigh16(sumLow, edgeLow), high, low),
        weighed(zipLow16(sumHigh, edgeHigh), high, low),
        weighed(zipHigh16(sumHigh, edgeHigh), high, low),
      ),
    )
    sumLow = i16x8.add(sumLow, i16x8.sub(behindLow, firstLow))
    sumHigh = i16x8.add(sumHigh, i16x8.sub(behindHigh, firstHigh))
    beforeLow = firstLow
    beforeHigh = firstHigh
    from += 16
    to += toStep
  } while (to != end)
}

/** A pass with any radius, in 32 bits and four lines at a time. */
export function longBoxPass(
  from: usize,
  to: usize,
  toStep: usize,
  length: i32,
  radius: i32,
  inner: i32,
  outer: i32,
): void {
  const reach = <usize>(2 * radius + 2) << 4
  for (let lane: usize = 0; lane < 16; lane += 4) {
    let sum = i32x4.splat(0)
    for (let at: usize = 16; at < reach; at += 16) sum = i32x4.add(sum, fourOf(from + lane + at))
    let at = from + lane
    let end = to + lane
    for (let i = 0; i < length; i++) {
      const behind = fourOf(at + reach)
      const edge = i32x4.add(fourOf(at), behind)
      const product = i32x4.add(
        i32x4.mul(sum, i32x4.splat(inner)),
        i32x4.mul(edge, i32x4.splat(outer)),
      )
      const four = i32x4.shr_u(i32x4.add(product, i32x4.splat(1 << 23)), 24)
      v128.store32_lane(end, packed(four, four, four, four), 0)
      sum = i32x4.add(sum, i32x4.sub(behind, fourOf(at + 16)))
      at += 16
      end += toStep
    }
  }
}

/** Four bytes as i32x4. */
@inline
function fourOf(at: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at)))
}
