import type { CropShape } from './fillRows.js'

/** Batch buffers in use again and again, by their number of values. */
export type BatchMemory = Map<number, SharedArrayBuffer[]>

/** The buffers of one batch, one a crop group: [count * size, 3, S, S] float32. */
export interface BatchBuffers {
  readonly shapes: readonly CropShape[]
  /** Images in the batch. */
  readonly size: number
  readonly shared: SharedArrayBuffer[]
  /** Gives them back; again has no effect. */
  release(): void
}

/** Buffers for `size` images, used before where there are any. */
export function takeBuffers(memory: BatchMemory, shapes: readonly CropShape[], size: number): BatchBuffers {
  const lengths = shapes.map((shape) => shape.count * size * valuesOf(shape))
  const shared = lengths.map((length) => memory.get(length)?.pop() ?? new SharedArrayBuffer(length * 4))
  let released = false
  return {
    shapes,
    size,
    shared,
    release() {
      if (released) return
      released = true
      for (const [g, length] of lengths.entries()) {
        const free = memory.get(length)
        if (free) free.push(shared[g]!)
        else memory.set(length, [shared[g]!])
      }
    },
  }
}

/** The values of a batch without some of its rows, [count * (size - left.size), 3, S, S] a group, moved together. */
export function compactRows(
  { shapes, size, shared }: BatchBuffers,
  left: ReadonlySet<number>,
): Float32Array[] {
  return shapes.map((shape, g) => {
    const values = new Float32Array(shared[g]!)
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

/** Values of one crop. */
const valuesOf = ({ size }: CropShape) => 3 * size * size
