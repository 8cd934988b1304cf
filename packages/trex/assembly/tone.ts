import { height, planeBytes, planes, stride, width } from './crop'
import { highFloats, lowFloats, packed, truncated } from './lanes'
import { luma } from './luma'

// Operations of the crop on each value or each pixel. Factors are float32 between -8192 and 8192: beyond 512 all
// values are clipped, so the host may bring any factor into that range.

/** `factor * value` of 16 bytes, as 16 bytes. */
@inline
function scaled(values: v128, factor: v128): v128 {
  const low = i16x8.extend_low_i8x16_u(values)
  const high = i16x8.extend_high_i8x16_u(values)
  return packed(
    truncated(f32x4.mul(factor, lowFloats(low))),
    truncated(f32x4.mul(factor, highFloats(low))),
    truncated(f32x4.mul(factor, lowFloats(high))),
    truncated(f32x4.mul(factor, highFloats(high))),
  )
}

/** Four values of `from + factor * difference`. */
@inline
function blendedFour(from: v128, difference: v128, factor: v128): v128 {
  return truncated(f32x4.add(from, f32x4.mul(factor, difference)))
}

/** `from + factor * (to - from)` of 16 bytes; `fromN` are the 16 values of `from` as float32. */
@inline
function blended(
  from: v128,
  from0: v128,
  from1: v128,
  from2: v128,
  from3: v128,
  to: v128,
  factor: v128,
): v128 {
  const low = i16x8.sub(i16x8.extend_low_i8x16_u(to), i16x8.extend_low_i8x16_u(from))
  const high = i16x8.sub(i16x8.extend_high_i8x16_u(to), i16x8.extend_high_i8x16_u(from))
  return packed(
    blendedFour(from0, lowFloats(low), factor),
    blendedFour(from1, highFloats(low), factor),
    blendedFour(from2, lowFloats(high), factor),
    blendedFour(from3, highFloats(high), factor),
  )
}

/** Blends the crop with black. */
export function brightness(factor: f32): void {
  const f = f32x4.splat(factor)
  const end = planes + 3 * planeBytes
  let at = planes
  do {
    v128.store(at, scaled(v128.load(at), f))
    at += 16
  } while (at < end)
}

/** The sum of the crop's lumas. */
function lumaSum(): f64 {
  const whole = <usize>width & ~15
  // -1 in the lanes of a last, partial block that lie inside the crop.
  const inside = i8x16.lt_u(
    i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    i8x16.splat(<i8>(width & 15)),
  )
  const rowBytes = stride
  const green = planeBytes
  const blue: usize = 2 * planeBytes
  let total: f64 = 0
  for (let y = 0; y < height; y++) {
    const row = planes + <usize>y * stride
    let sums = i32x4.splat(0)
    let x: usize = 0
    do {
      const at = row + x
      let l = luma(v128.load(at), v128.load(at + green), v128.load(at + blue))
      if (x == whole) l = v128.and(l, inside)
      sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(l)))
      x += 16
    } while (x < rowBytes)
    total += <f64>i32x4.extract_lane(sums, 0) + <f64>i32x4.extract_lane(sums, 1)
    total += <f64>i32x4.extract_lane(sums, 2) + <f64>i32x4.extract_lane(sums, 3)
  }
  return total
}

/** Blends the crop with its mean luma, a whole number. */
export function contrast(factor: f32): void {
  const pivot = <i32>(lumaSum() / (<f64>width * <f64>height) + 0.5)
  const from = i8x16.splat(<i8>pivot)
  const floats = f32x4.splat(<f32>pivot)
  const f = f32x4.splat(factor)
  const end = planes + 3 * planeBytes
  let at = planes
  do {
    v128.store(at, blended(from, floats, floats, floats, floats, v128.load(at), f))
    at += 16
  } while (at < end)
}

/** Blends each pixel with its luma. */
export function saturation(factor: f32): void {
  const f = f32x4.splat(factor)
  const green = planeBytes
  const blue: usize = 2 * planeBytes
  const end = planes + planeBytes
  let at = planes
  do {
    const r = v128.load(at)
    const g = v128.load(at + green)
    const b = v128.load(at + blue)
    const grey = luma(r, g, b)
    const low = i16x8.extend_low_i8x16_u(grey)
    const high = i16x8.extend_high_i8x16_u(grey)
    const from0 = lowFloats(low)
    const from1 = highFloats(low)
    const from2 = lowFloats(high)
    const from3 = highFloats(high)
    v128.store(at, blended(grey, from0, from1, from2, from3, r, f))
    v128.store(at + green, blended(grey, from0, from1, from2, from3, g, f))
    v128.store(at + blue, blended(grey, from0, from1, from2, from3, b, f))
    at += 16
  } while (at < end)
}

/** Replaces each pixel by its luma. */
export function grayscale(): void {
  const green = planeBytes
  const blue: usize = 2 * planeBytes
  const end = planes + planeBytes
  let at = planes
  do {
    const grey = luma(v128.load(at), v128.load(at + green), v128.load(at + blue))
    v128.store(at, grey)
    v128.store(at + green, grey)
    v128.store(at + blue, grey)
    at += 16
  } while (at < end)
}

/** Inverts the values that are at least `threshold`, 0..256. */
export function solarize(threshold: i32): void {
  if (threshold > 255) return
  const least = i8x16.splat(<i8>threshold)
  const end = planes + 3 * planeBytes
  let at = planes
  do {
    const values = v128.load(at)
    v128.store(at, v128.xor(values, i8x16.ge_u(values, least)))
    at += 16
  } while (at < end)
}
