import { packed } from './lanes'
import { LOW_BITS, Taps } from './taps'

/** Half of the last place that is kept of a sum with 22 fractional bits. */
const HALF: i32 = 1 << 21

/** The sums of the high and of the low halves, as 8-bit values that are still to be clipped. */
@inline
export function rounded(high: v128, low: v128): v128 {
  return i32x4.shr_s(i32x4.add(i32x4.add(i32x4.shl(high, LOW_BITS), low), i32x4.splat(HALF)), 22)
}

/** Pixels 0 and 1 of packed RGB as 16-bit pairs: r0 r1 g0 g1 b0 b1 0 0. */
@inline
function pixels01(rgb: v128): v128 {
  return i8x16.swizzle(rgb, i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1))
}

/** Pixels 2 and 3 of packed RGB as 16-bit pairs. */
@inline
function pixels23(rgb: v128): v128 {
  return i8x16.swizzle(rgb, i8x16(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1))
}

/**
 * Filters four rows of packed RGB, at p0..p3, to `count` pixels each, of 4 bytes (R, G, B and one without meaning):
 * pixel x of row i is written to to + i * rowStep + x * step. Reads up to 16 bytes behind the last tap.
 */
export function filterRows(
  p0: usize,
  p1: usize,
  p2: usize,
  p3: usize,
  taps: Taps,
  count: i32,
  to: usize,
  rowStep: usize,
  step: i32,
): void {
  const starts = taps.starts
  const stride = taps.stride
  const fours = taps.pairs >> 1
  const odd = taps.pairs & 1
  let weights = taps.weights
  for (let x = 0; x < count; x++) {
    let at = <usize>load<i32>(starts + (<usize>x << 2)) * 3
    let w = weights
    let high0 = i32x4.splat(0)
    let high1 = i32x4.splat(0)
    let high2 = i32x4.splat(0)
    let high3 = i32x4.splat(0)
    let low0 = i32x4.splat(0)
    let low1 = i32x4.splat(0)
    let low2 = i32x4.splat(0)
    let low3 = i32x4.splat(0)
    for (let k = 0; k < fours; k++) {
      const h01 = v128.load32_splat(w)
      const l01 = v128.load32_splat(w, 4)
      const h23 = v128.load32_splat(w, 8)
      const l23 = v128.load32_splat(w, 12)
      let rgb = v128.load(p0 + at)
      let pair = pixels01(rgb)
      high0 = i32x4.add(high0, i32x4.dot_i16x8_s(pair, h01))
      low0 = i32x4.add(low0, i32x4.dot_i16x8_s(pair, l01))
      pair = pixels23(rgb)
      high0 = i32x4.add(high0, i32x4.dot_i16x8_s(pair, h23))
      low0 = i32x4.add(low0, i32x4.dot_i16x8_s(pair, l23))
      rgb = v128.load(p1 + at)
      pair = pixels01(rgb)
      high1 = i32x4.add(high1, i32x4.dot_i16x8_s(pair, h01))
      low1 = i32x4.add(low1, i32x4.dot_i16x8_s(pair, l01))
      pair = pixels23(rgb)
      high1 = i32x4.add(high1, i32x4.dot_i16x8_s(pair, h23))
      low1 = i32x4.add(low1, i32x4.dot_i16x8_s(pair, l23))
      rgb = v128.load(p2 + at)
      pair = pixels01(rgb)
      high2 = i32x4.add(high2, i32x4.dot_i16x8_s(pair, h01))
      low2 = i32x4.add(low2, i32x4.dot_i16x8_s(pair, l01))
      pair = pixels23(rgb)
      high2 = i32x4.add(high2, i32x4.dot_i16x8_s(pair, h23))
      low2 = i32x4.add(low2, i32x4.dot_i16x8_s(pair, l23))
      rgb = v128.load(p3 + at)
      pair = pixels01(rgb)
      high3 = i32x4.add(high3, i32x4.dot_i16x8_s(pair, h01))
      low3 = i32x4.add(low3, i32x4.dot_i16x8_s(pair, l01))
      pair = pixels23(rgb)
      high3 = i32x4.add(high3, i32x4.dot_i16x8_s(pair, h23))
      low3 = i32x4.add(low3, i32x4.dot_i16x8_s(pair, l23))
      w += 16
      at += 12
    }
    if (odd) {
      const h01 = v128.load32_splat(w)
      const l01 = v128.load32_splat(w, 4)
      let pair = pixels01(v128.load(p0 + at))
      high0 = i32x4.add(high0, i32x4.dot_i16x8_s(pair, h01))
      low0 = i32x4.add(low0, i32x4.dot_i16x8_s(pair, l01))
      pair = pixels01(v128.load(p1 + at))
      high1 = i32x4.add(high1, i32x4.dot_i16x8_s(pair, h01))
      low1 = i32x4.add(low1, i32x4.dot_i16x8_s(pair, l01))
      pair = pixels01(v128.load(p2 + at))
      high2 = i32x4.add(high2, i32x4.dot_i16x8_s(pair, h01))
      low2 = i32x4.add(low2, i32x4.dot_i16x8_s(pair, l01))
      pair = pixels01(v128.load(p3 + at))
      high3 = i32x4.add(high3, i32x4.dot_i16x8_s(pair, h01))
      low3 = i32x4.add(low3, i32x4.dot_i16x8_s(pair, l01))
    }
    const four = packed(rounded(high0, low0), rounded(high1, low1), rounded(high2, low2), rounded(high3, low3))
    v128.store32_lane(to, four, 0)
    v128.store32_lane(to + rowStep, four, 1)
    v128.store32_lane(to + 2 * rowStep, four, 2)
    v128.store32_lane(to + 3 * rowStep, four, 3)
    weights += stride
    to += step
  }
}

/** Four pixels of 4 bytes by channel: R R R R G G G G B B B B and four bytes without meaning. */
@inline
function byChannel(pixels: v128): v128 {
  return i8x16.swizzle(pixels, i8x16(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15))
}

/** Splits a row of 4-byte pixels into its R, G and B, `stride` bytes (a multiple of 16) each, one after another. */
export function splitChannels(from: usize, to: usize, stride: usize): void {
  const end = to + stride
  while (to < end) {
    const a = byChannel(v128.load(from))
    const b = byChannel(v128.load(from, 16))
    const c = byChannel(v128.load(from, 32))
    const d = byChannel(v128.load(from, 48))
    const abLow = i32x4.shuffle(a, b, 0, 4, 1, 5)
    const cdLow = i32x4.shuffle(c, d, 0, 4, 1, 5)
    v128.store(to, i64x2.shuffle(abLow, cdLow, 0, 2))
    v128.store(to + stride, i64x2.shuffle(abLow, cdLow, 1, 3))
    v128.store(
      to + 2 * stride,
      i64x2.shuffle(i32x4.shuffle(a, b, 2, 6, 3, 7), i32x4.shuffle(c, d, 2, 6, 3, 7), 0, 2),
    )
    from += 64
    to += 16
  }
}
