import { allocate } from './memory'

// The crop that the operations change: three planes of rows of `stride` bytes. What lies right of `width` and below
// `height` is there to be computed with, 16 bytes at a time, and means nothing.

export let width: i32 = 0
export let height: i32 = 0
/** Bytes a row: the width rounded up to a multiple of 16. */
export let stride: usize = 0
/** Bytes a plane: its rows are rounded up to a multiple of 16 as well. */
export let planeBytes: usize = 0
/** The first plane; the others follow. */
export let planes: usize = 0

@inline
export function roundUp16(n: usize): usize {
  return (n + 15) & ~15
}

/** Makes room for a crop. */
export function newCrop(newWidth: i32, newHeight: i32): void {
  width = newWidth
  height = newHeight
  stride = roundUp16(newWidth)
  const bytes = <u64>stride * roundUp16(newHeight)
  planes = allocate(3 * bytes)
  planeBytes = <usize>bytes
}
