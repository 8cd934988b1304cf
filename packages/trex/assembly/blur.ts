import { longBoxPass, MAX_SHORT_RADIUS, shortBoxPass } from './boxPass'
import { height, planeBytes, planes, stride, width } from './crop'
import { zipHigh, zipLow } from './lanes'
import { allocate, release } from './memory'

/** Fills the copies of the first and of the last of `length` entries; the first entry is at buffer + 16 * edge. */
function fillEdges(buffer: usize, length: i32, edge: i32): void {
  const first = buffer + (<usize>edge << 4)
  const last = first + (<usize>(length - 1) << 4)
  const firstValues = v128.load(first)
  const lastValues = v128.load(last)
  for (let i: usize = 1; i <= <usize>edge; i++) {
    v128.store(first - (i << 4), firstValues)
    v128.store(last + (i << 4), lastValues)
  }
}

/** Three box passes over the entries in `a`, the last one to `to`; `b` is as large as `a`. */
function blurEntries(
  a: usize,
  b: usize,
  to: usize,
  toStep: usize,
  length: i32,
  radius: i32,
  inner: i32,
  outer: i32,
): void {
  const edge = radius + 1
  const skip = <usize>edge << 4
  fillEdges(a, length, edge)
  boxPass(a, b + skip, 16, length, radius, inner, outer)
  fillEdges(b, length, edge)
  boxPass(b, a + skip, 16, length, radius, inner, outer)
  fillEdges(a, length, edge)
  boxPass(a, to, toStep, length, radius, inner, outer)
}

function boxPass(
  from: usize,
  to: usize,
  toStep: usize,
  length: i32,
  radius: i32,
  inner: i32,
  outer: i32,
): void {
  if (radius <= MAX_SHORT_RADIUS) shortBoxPass(from, to, toStep, length, radius, inner, outer)
  else longBoxPass(from, to, toStep, length, radius, inner, outer)
}

/** One of the four steps that transpose 16 x 16 bytes: row i is interleaved with row i + 8. */
@inline
function zipRows(from: usize, fromStep: usize, to: usize, toStep: usize): void {
  for (let i = 0; i < 8; i++) {
    const a = v128.load(from)
    const b = v128.load(from + 8 * fromStep)
    v128.store(to, zipLow(a, b))
    v128.store(to + toStep, zipHigh(a, b))
    from += fromStep
    to += 2 * toStep
  }
}

/** Transposes 16 rows of 16 bytes; `spare` are 512 bytes to work in. */
function transpose(from: usize, fromStep: usize, to: usize, toStep: usize, spare: usize): void {
  zipRows(from, fromStep, spare, 16)
  zipRows(spare, 16, spare + 256, 16)
  zipRows(spare + 256, 16, spare, 16)
  zipRows(spare, 16, to, toStep)
}

/** Blurs the crop by three box blurs along the rows, then three along the columns, of 24-bit weights. */
export function blur(radius: i32, inner: i32, outer: i32): void {
  const edge = radius + 1
  const skip = <usize>edge << 4
  const bytes = (<u64>max(stride, <usize>height) + 2 * <u64>edge) << 4
  const a = allocate(bytes)
  const b = allocate(bytes)
  const spare = allocate(512)
  const end = planes + 3 * planeBytes
  for (let rows = planes; rows < end; rows += stride << 4) {
    for (let x: usize = 0; x < stride; x += 16) transpose(rows + x, stride, a + skip + (x << 4), 16, spare)
    blurEntries(a, b, b + skip, 16, width, radius, inner, outer)
    for (let x: usize = 0; x < stride; x += 16) transpose(b + skip + (x << 4), 16, rows + x, stride, spare)
  }
  for (let plane = planes; plane < end; plane += planeBytes) {
    for (let x: usize = 0; x < stride; x += 16) {
      let from = plane + x
      let to = a + skip
      for (let y = 0; y < height; y++, from += stride, to += 16) v128.store(to, v128.load(from))
      blurEntries(a, b, plane + x, stride, height, radius, inner, outer)
    }
  }
  release(a)
}
