import { packed, zipHigh, zipLow } from './lanes'
import { rounded } from './rows'

/**
 * Filters `stride` columns (a multiple of 16) to one row: `rows` holds the addresses of the input rows, two to a pair
 * of weights; `offset` is added to each.
 */
export function filterColumns(
  rows: usize,
  offset: usize,
  weights: usize,
  pairs: i32,
  to: usize,
  stride: usize,
): void {
  let x: usize = 0
  do {
    let row = rows
    let w = weights
    let high0 = i32x4.splat(0)
    let high1 = i32x4.splat(0)
    let high2 = i32x4.splat(0)
    let high3 = i32x4.splat(0)
    let low0 = i32x4.splat(0)
    let low1 = i32x4.splat(0)
    let low2 = i32x4.splat(0)
    let low3 = i32x4.splat(0)
    const column = offset + x
    let k = pairs
    do {
      const high = v128.load32_splat(w)
      const low = v128.load32_splat(w, 4)
      const a = v128.load(<usize>load<u32>(row) + column)
      const b = v128.load(<usize>load<u32>(row, 4) + column)
      let both = zipLow(a, b)
      let pair = i16x8.extend_low_i8x16_u(both)
      high0 = i32x4.add(high0, i32x4.dot_i16x8_s(pair, high))
      low0 = i32x4.add(low0, i32x4.dot_i16x8_s(pair, low))
      pair = i16x8.extend_high_i8x16_u(both)
      high1 = i32x4.add(high1, i32x4.dot_i16x8_s(pair, high))
      low1 = i32x4.add(low1, i32x4.dot_i16x8_s(pair, low))
      both = zipHigh(a, b)
      pair = i16x8.extend_low_i8x16_u(both)
      high2 = i32x4.add(high2, i32x4.dot_i16x8_s(pair, high))
      low2 = i32x4.add(low2, i32x4.dot_i16x8_s(pair, low))
      pair = i16x8.extend_high_i8x16_u(both)
      high3 = i32x4.add(high3, i32x4.dot_i16x8_s(pair, high))
      low3 = i32x4.add(low3, i32x4.dot_i16x8_s(pair, low))
      row += 8
      w += 8
    } while (--k)
    v128.store(
      to + x,
      packed(rounded(high0, low0), rounded(high1, low1), rounded(high2, low2), rounded(high3, low3)),
    )
    x += 16
  } while (x < stride)
}
