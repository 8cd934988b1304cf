import type { CropArray } from '../pixels/normalize.js'
import type { CropShape } from './fillRows.js'

/** What crops are made of: see `CropArray`. */
export type PixelType = 'float32' | 'uint8'

/** Batch buffers in use again and again, by their number of values; all of one type. */
export type BatchMemory = Map<number, CropArray[]>

/** The buffers of one batch, one a crop group: [count * size, 3, S, S], or of bytes [count * size, S, S, 3]. */
export interface BatchBuffers {
  readonly shapes: readonly CropShape[]
  /** Images in the batch. */
  readonly size: number
  readonly arrays: CropArray[]
  /** Gives them back; again has no effect. */
  release(): void
}

/** Buffers for `size` images, used before where there are any; in SharedArrayBuffers. */
export function takeBuffers(
  memory: BatchMemory,
  pixels: PixelType,
  shapes: readonly CropShape[],
  size: number,
): BatchBuffers {
  const lengths = shapes.map((shape) => shape.count * size * valuesOf(shape))
  const arrays = lengths.map((length) => memory.get(length)?.pop() ?? newArray(pixels, length))
  let released = false
  return {
    shapes,
    size,
    arrays,
    release() {
      if (released) return
      released = true
      for (const [g, length] of lengths.entries()) {
        const free = memory.get(length)
        if (free) free.push(arrays[g]!)
        else memory.set(length, [arrays[g]!])
      }
    },
  }
}

/** The values of a batch without some of its rows, count * (size - left.size) crops a group, moved together. */
export function compactRows({ shapes, size, arrays }: BatchBuffers, left: ReadonlySet<number>): CropArray[] {
  return shapes.map((shape, g) => {
    const values = arrays[g]!
    if (left.size === 0) return values
    const length = valuesOf(shape)
    let to = 0
    for (let from = 0; from < shape.count * size; from++) {
      if (left.has(from % size)) continue
      values.copyWithin(to * length, from * length, (from + 1) * length)
      to++
    }
    return values.subarray(0, to * length)
  })
}

function newArray(pixels: PixelType, length: number): CropArray {
  return pixels === 'uint8'
    ? new Uint8Array(new SharedArrayBuffer(length))
    : new Float32Array(new SharedArrayBuffer(4 * length))
}

/** Values of one crop. */
const valuesOf = ({ size }: CropShape) => 3 * size * size
