import { packed, zipHigh, zipLow } from './lanes'
import { LOW_BITS, Taps } from './taps'

// Rows are filtered four at a time, so that the four lanes of a sum are one channel of four rows. For that the rows
// are woven first: of each channel, the four bytes of a column side by side.

/** Half of the last place that is kept of a sum with 22 fractional bits. */
const HALF: i32 = 1 << 21

/** The sums of the high and of the low halves, as 8-bit values that are still to be clipped. */
@inline
export function rounded(high: v128, low: v128): v128 {
  return i32x4.shr_s(i32x4.add(i32x4.add(i32x4.shl(high, LOW_BITS), low), i32x4.splat(HALF)), 22)
}

/** Four pixels of packed RGB by channel: R R R R G G G G B B B B and four bytes without meaning. */
@inline
function byChannel(rgb: v128): v128 {
  return i8x16.swizzle(rgb, i8x16(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, -1, -1, -1, -1))
}

/**
 * Weaves `columns` pixels of the rows at p0..p3, packed RGB, into three channels of 4 bytes a column, `channelBytes`
 * apart; up to three columns more than asked for.
 */
export function weaveRows(
  p0: usize,
  p1: usize,
  p2: usize,
  p3: usize,
  columns: i32,
  to: usize,
  channelBytes: usize,
): void {
  const end = to + (<usize>columns << 2)
  do {
    const a = byChannel(v128.load(p0))
    const b = byChannel(v128.load(p1))
    const c = byChannel(v128.load(p2))
    const d = byChannel(v128.load(p3))
    const acLow = zipLow(a, c)
    const bdLow = zipLow(b, d)
    v128.store(to, zipLow(acLow, bdLow))
    v128.store(to + channelBytes, zipHigh(acLow, bdLow))
    v128.store(to + 2 * channelBytes, zipLow(zipHigh(a, c), zipHigh(b, d)))
    p0 += 12
    p1 += 12
    p2 += 12
    p3 += 12
    to += 16
  } while (to < end)
}

/** Columns 0 and 1 of four woven ones as 16-bit pairs, a pair a row. */
@inline
function columns01(woven: v128): v128 {
  return i8x16.swizzle(woven, i8x16(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1))
}

/** Columns 2 and 3 of four woven ones as 16-bit pairs. */
@inline
function columns23(woven: v128): v128 {
  return i8x16.swizzle(woven, i8x16(8, -1, 12, -1, 9, -1, 13, -1, 10, -1, 14, -1, 11, -1, 15, -1))
}

/**
 * Filters woven rows to `count` pixels: pixel x is written to to + x * step, 16 bytes: its red of the four rows, its
 * green, its blue, and four bytes without meaning. `woven` is where column 0 would be.
 */
export function filterRows(
  woven: usize,
  channelBytes: usize,
  taps: Taps,
  count: i32,
  to: usize,
  step: i32,
): void {
  let starts = taps.starts
  const stride = taps.stride
  const fours = taps.pairs >> 1
  const odd = taps.pairs & 1
  let weights = taps.weights
  const end = starts + (<usize>count << 2)
  do {
    let red = woven + (<usize>load<i32>(starts) << 2)
    let green = red + channelBytes
    let blue = green + channelBytes
    let w = weights
    let redHigh = i32x4.splat(0)
    let redLow = i32x4.splat(0)
    let greenHigh = i32x4.splat(0)
    let greenLow = i32x4.splat(0)
    let blueHigh = i32x4.splat(0)
    let blueLow = i32x4.splat(0)
    let k = fours
    if (k) do {
      const high01 = v128.load32_splat(w)
      const low01 = v128.load32_splat(w, 4)
      const high23 = v128.load32_splat(w, 8)
      const low23 = v128.load32_splat(w, 12)
      let four = v128.load(red)
      let pair = columns01(four)
      redHigh = i32x4.add(redHigh, i32x4.dot_i16x8_s(pair, high01))
      redLow = i32x4.add(redLow, i32x4.dot_i16x8_s(pair, low01))
      pair = columns23(four)
      redHigh = i32x4.add(redHigh, i32x4.dot_i16x8_s(pair, high23))
      redLow = i32x4.add(redLow, i32x4.dot_i16x8_s(pair, low23))
      four = v128.load(green)
      pair = columns01(four)
      greenHigh = i32x4.add(greenHigh, i32x4.dot_i16x8_s(pair, high01))
      greenLow = i32x4.add(greenLow, i32x4.dot_i16x8_s(pair, low01))
      pair = columns23(four)
      greenHigh = i32x4.add(greenHigh, i32x4.dot_i16x8_s(pair, high23))
      greenLow = i32x4.add(greenLow, i32x4.dot_i16x8_s(pair, low23))
      four = v128.load(blue)
      pair = columns01(four)
      blueHigh = i32x4.add(blueHigh, i32x4.dot_i16x8_s(pair, high01))
      blueLow = i32x4.add(blueLow, i32x4.dot_i16x8_s(pair, low01))
      pair = columns23(four)
      blueHigh = i32x4.add(blueHigh, i32x4.dot_i16x8_s(pair, high23))
      blueLow = i32x4.add(blueLow, i32x4.dot_i16x8_s(pair, low23))
      w += 16
      red += 16
      green += 16
      blue += 16
    } while (--k)
    if (odd) {
      const high = v128.load32_splat(w)
      const low = v128.load32_splat(w, 4)
      let pair = columns01(v128.load(red))
      redHigh = i32x4.add(redHigh, i32x4.dot_i16x8_s(pair, high))
      redLow = i32x4.add(redLow, i32x4.dot_i16x8_s(pair, low))
      pair = columns01(v128.load(green))
      greenHigh = i32x4.add(greenHigh, i32x4.dot_i16x8_s(pair, high))
      greenLow = i32x4.add(greenLow, i32x4.dot_i16x8_s(pair, low))
      pair = columns01(v128.load(blue))
      blueHigh = i32x4.add(blueHigh, i32x4.dot_i16x8_s(pair, high))
      blueLow = i32x4.add(blueLow, i32x4.dot_i16x8_s(pair, low))
    }
    const b = rounded(blueHigh, blueLow)
    v128.store(to, packed(rounded(redHigh, redLow), rounded(greenHigh, greenLow), b, b))
    weights += stride
    to += step
    starts += 4
  } while (starts != end)
}

/** Writes pixels of `filterRows` to the four rows at p0..p3: each its R, its G and its B, `stride` bytes a channel. */
export function unweaveRows(
  from: usize,
  p0: usize,
  p1: usize,
  p2: usize,
  p3: usize,
  stride: usize,
): void {
  const end = p0 + stride
  do {
    const a = v128.load(from)
    const b = v128.load(from, 16)
    const c = v128.load(from, 32)
    const d = v128.load(from, 48)
    const acLow = zipLow(a, c)
    const bdLow = zipLow(b, d)
    const red = zipLow(acLow, bdLow)
    const green = zipHigh(acLow, bdLow)
    const blue = zipLow(zipHigh(a, c), zipHigh(b, d))
    v128.store32_lane(p0, red, 0)
    v128.store32_lane(p1, red, 1)
    v128.store32_lane(p2, red, 2)
    v128.store32_lane(p3, red, 3)
    v128.store32_lane(p0 + stride, green, 0)
    v128.store32_lane(p1 + stride, green, 1)
    v128.store32_lane(p2 + stride, green, 2)
    v128.store32_lane(p3 + stride, green, 3)
    v128.store32_lane(p0 + 2 * stride, blue, 0)
    v128.store32_lane(p1 + 2 * stride, blue, 1)
    v128.store32_lane(p2 + 2 * stride, blue, 2)
    v128.store32_lane(p3 + 2 * stride, blue, 3)
    from += 64
    p0 += 4
    p1 += 4
    p2 += 4
    p3 += 4
  } while (p0 < end)
}
