import { planeBytes, planes } from './crop'
import { highFloats, lowFloats, packed, truncated, wholeNumber } from './lanes'

// Float32 suffices where the reference has float64: a test compares all 2^24 colours both ways.

/** Four hues of `base + middle / range` sextants, where `base` is whole: one rounding, as in the reference. */
@inline
function hueOf(base: v128, middle: v128, range: v128): v128 {
  const sextant = f32x4.add(base, f32x4.div(middle, range))
  const turn = f32x4.div(sextant, f32x4.splat(6))
  const positive = f32x4.add(turn, v128.and(f32x4.lt(turn, f32x4.splat(0)), f32x4.splat(1)))
  return truncated(f32x4.mul(f32x4.splat(255), positive))
}

/** Four saturations: 255 * (range / max). */
@inline
function saturationOf(range: v128, max: v128): v128 {
  return truncated(f32x4.mul(f32x4.splat(255), f32x4.div(range, max)))
}

/** Replaces the crop's red, green and blue by hue, saturation and value. */
export function rgbToHsv(): void {
  const one = i8x16.splat(1)
  const green = planeBytes
  const blue: usize = 2 * planeBytes
  const end = planes + planeBytes
  let at = planes
  do {
    const r = v128.load(at)
    const g = v128.load(at + green)
    const b = v128.load(at + blue)
    const max = i8x16.max_u(i8x16.max_u(r, g), b)
    const min = i8x16.min_u(i8x16.min_u(r, g), b)
    const range = i8x16.sub(max, min)
    // max less the middle one of the three
    const middle = i8x16.sub(i8x16.add(i8x16.sub(i8x16.add(max, max), i8x16.add(r, g)), min), b)
    const redMost = i8x16.eq(r, max)
    const greenMost = i8x16.eq(g, max)
    const redLeast = i8x16.eq(r, min)
    const blueLeast = i8x16.eq(b, min)
    // The colour that is least has a fraction of exactly 1, so b - g, 2 + r - b and 4 + g - r are base +- middle.
    const base = v128.bitselect(
      v128.bitselect(one, i8x16.splat(-1), blueLeast),
      v128.bitselect(
        v128.bitselect(one, i8x16.splat(3), blueLeast),
        v128.bitselect(i8x16.splat(3), i8x16.splat(5), redLeast),
        greenMost,
      ),
      redMost,
    )
    const minus = v128.bitselect(
      blueLeast,
      v128.not(v128.bitselect(blueLeast, redLeast, greenMost)),
      redMost,
    )
    const minusLow = i16x8.extend_low_i8x16_s(minus)
    const minusHigh = i16x8.extend_high_i8x16_s(minus)
    const middleLow = i16x8.sub(v128.xor(i16x8.extend_low_i8x16_u(middle), minusLow), minusLow)
    const middleHigh = i16x8.sub(v128.xor(i16x8.extend_high_i8x16_u(middle), minusHigh), minusHigh)
    const baseLow = i16x8.extend_low_i8x16_s(base)
    const baseHigh = i16x8.extend_high_i8x16_s(base)
    const someRange = i8x16.max_u(range, one)
    const someMax = i8x16.max_u(max, one)
    const rangeLow = i16x8.extend_low_i8x16_u(someRange)
    const rangeHigh = i16x8.extend_high_i8x16_u(someRange)
    const maxLow = i16x8.extend_low_i8x16_u(someMax)
    const maxHigh = i16x8.extend_high_i8x16_u(someMax)
    const range0 = lowFloats(rangeLow)
    const range1 = highFloats(rangeLow)
    const range2 = lowFloats(rangeHigh)
    const range3 = highFloats(rangeHigh)
    const hue = packed(
      hueOf(lowFloats(baseLow), lowFloats(middleLow), range0),
      hueOf(highFloats(baseLow), highFloats(middleLow), range1),
      hueOf(lowFloats(baseHigh), lowFloats(middleHigh), range2),
      hueOf(highFloats(baseHigh), highFloats(middleHigh), range3),
    )
    const saturation = packed(
      saturationOf(range0, lowFloats(maxLow)),
      saturationOf(range1, highFloats(maxLow)),
      saturationOf(range2, lowFloats(maxHigh)),
      saturationOf(range3, highFloats(maxHigh)),
    )
    const grey = i8x16.eq(max, min)
    v128.store(at, v128.andnot(hue, grey))
    v128.store(at + green, v128.andnot(saturation, grey))
    v128.store(at + blue, max)
    at += 16
  } while (at < end)
}

/** Eight of value * (255 - saturation) / 255, rounded; there are no halves. */
@inline
function faded(product: v128): v128 {
  const x = i16x8.add(product, i16x8.splat(128))
  return i16x8.shr_u(i16x8.add(x, i16x8.shr_u(x, 8)), 8)
}

/** Four of product / (255 * 85), rounded; there are no halves. */
@inline
function between(product: v128): v128 {
  return wholeNumber(f32x4.mul(f32x4.convert_i32x4_s(product), f32x4.splat(<f32>(1.0 / 21675.0))))
}

/** Replaces the crop's hue, saturation and value by red, green and blue, the hue turned by `shift` / 256. */
export function hsvToRgb(shift: i32): void {
  const green = planeBytes
  const blue: usize = 2 * planeBytes
  const end = planes + planeBytes
  const one = i8x16.splat(1)
  const whole = i16x8.splat(21675)
  let at = planes
  do {
    const h = i8x16.add(v128.load(at), i8x16.splat(<i8>shift))
    const s = v128.load(at + green)
    const v = v128.load(at + blue)
    // floor(6 h / 255): each comparison counts -1
    let sextant = i8x16.add(i8x16.ge_u(h, i8x16.splat(43)), i8x16.ge_u(h, i8x16.splat(85)))
    sextant = i8x16.add(sextant, i8x16.ge_u(h, i8x16.splat(<i8>128)))
    sextant = i8x16.add(sextant, i8x16.ge_u(h, i8x16.splat(<i8>170)))
    sextant = i8x16.add(sextant, i8x16.ge_u(h, i8x16.splat(<i8>213)))
    sextant = i8x16.neg(i8x16.add(sextant, i8x16.eq(h, i8x16.splat(-1))))
    // What lies beyond the sextant's start in 85ths: 2 h - 85 sextant, modulo 256; 85 = 64 + 16 + 4 + 1.
    const by5 = i8x16.add(sextant, i8x16.shl(sextant, 2))
    const beyond = i8x16.sub(i8x16.add(h, h), i8x16.add(by5, i8x16.shl(by5, 4)))
    const odd = i8x16.eq(v128.and(sextant, one), one)
    const part = v128.bitselect(beyond, i8x16.sub(i8x16.splat(85), beyond), odd)

    const pale = v128.not(s) // 255 - s
    const low = i8x16.narrow_i16x8_u(
      faded(i16x8.extmul_low_i8x16_u(v, pale)),
      faded(i16x8.extmul_high_i8x16_u(v, pale)),
    )
    const keptLow = i16x8.sub(whole, i16x8.extmul_low_i8x16_u(s, part))
    const keptHigh = i16x8.sub(whole, i16x8.extmul_high_i8x16_u(s, part))
    const vLow = i16x8.extend_low_i8x16_u(v)
    const vHigh = i16x8.extend_high_i8x16_u(v)
    const mid = packed(
      between(i32x4.extmul_low_i16x8_s(vLow, keptLow)),
      between(i32x4.extmul_high_i16x8_s(vLow, keptLow)),
      between(i32x4.extmul_low_i16x8_s(vHigh, keptHigh)),
      between(i32x4.extmul_high_i16x8_s(vHigh, keptHigh)),
    )
    // Sextants 0..6 (6 is 0): red v m l l m v, green m v v m l l, blue l l m v v m.
    const is0 = v128.or(i8x16.eq(sextant, i8x16.splat(0)), i8x16.eq(sextant, i8x16.splat(6)))
    const is1 = i8x16.eq(sextant, one)
    const is2 = i8x16.eq(sextant, i8x16.splat(2))
    const is3 = i8x16.eq(sextant, i8x16.splat(3))
    const is4 = i8x16.eq(sextant, i8x16.splat(4))
    const is5 = i8x16.eq(sextant, i8x16.splat(5))
    v128.store(at, chosen(v, mid, low, v128.or(is0, is5), v128.or(is1, is4)))
    v128.store(at + green, chosen(v, mid, low, v128.or(is1, is2), v128.or(is0, is3)))
    v128.store(at + blue, chosen(v, mid, low, v128.or(is3, is4), v128.or(is2, is5)))
    at += 16
  } while (at < end)
}

@inline
function chosen(high: v128, mid: v128, low: v128, isHigh: v128, isMid: v128): v128 {
  return v128.bitselect(high, v128.bitselect(mid, low, isMid), isHigh)
}
