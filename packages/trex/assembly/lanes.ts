// Arithmetic on 16 bytes at a time. f32x4 operations round as Math.fround does, so they equal the reference.

/** 1.5 * 2^23: added to a whole float32 between -2^22 and 2^22, the low bits of the sum are that integer. */
const MAGIC: f32 = 12582912.0

/** Whole numbers: a float32x4 without its fractions as an i32x4; |x| < 2^22. */
@inline
export function truncated(x: v128): v128 {
  return wholeNumber(f32x4.trunc(x))
}

/** The nearest integers to a float32x4, halves to even; |x| < 2^22. */
@inline
export function wholeNumber(x: v128): v128 {
  return i32x4.sub(f32x4.add(x, f32x4.splat(MAGIC)), i32x4.splat(0x4b400000))
}

/** Four i32x4 as 16 bytes, clipped to 0..255. */
@inline
export function packed(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d))
}

/** Lanes 0..3 of an i16x8 as float32. */
@inline
export function lowFloats(x: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(x))
}

/** Lanes 4..7 of an i16x8 as float32. */
@inline
export function highFloats(x: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(x))
}

/** Bytes 0..7 of two vectors by turns: a0 b0 a1 b1 ... */
@inline
export function zipLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
}

/** Bytes 8..15 of two vectors by turns. */
@inline
export function zipHigh(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
}

/** Lanes 0..3 of two i16x8 by turns. */
@inline
export function zipLow16(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
}

/** Lanes 4..7 of two i16x8 by turns. */
@inline
export function zipHigh16(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
}
