import { packed, zipHigh, zipLow } from './lanes'

/** Four lumas of which the green part is a weight of 32767 with red and the rest of 38470 with blue. */
@inline
function four(redGreen: v128, greenBlue: v128): v128 {
  const sum = i32x4.add(
    i32x4.dot_i16x8_s(redGreen, i16x8(19595, 32767, 19595, 32767, 19595, 32767, 19595, 32767)),
    i32x4.dot_i16x8_s(greenBlue, i16x8(5703, 7471, 5703, 7471, 5703, 7471, 5703, 7471)),
  )
  return i32x4.shr_u(i32x4.add(sum, i32x4.splat(32768)), 16)
}

/** Luma (ITU-R 601-2) of 16 colours: (19595 r + 38470 g + 7471 b + 32768) >> 16. */
@inline
export function luma(r: v128, g: v128, b: v128): v128 {
  const rg0 = zipLow(r, g)
  const rg1 = zipHigh(r, g)
  const gb0 = zipLow(g, b)
  const gb1 = zipHigh(g, b)
  return packed(
    four(i16x8.extend_low_i8x16_u(rg0), i16x8.extend_low_i8x16_u(gb0)),
    four(i16x8.extend_high_i8x16_u(rg0), i16x8.extend_high_i8x16_u(gb0)),
    four(i16x8.extend_low_i8x16_u(rg1), i16x8.extend_low_i8x16_u(gb1)),
    four(i16x8.extend_high_i8x16_u(rg1), i16x8.extend_high_i8x16_u(gb1)),
  )
}
