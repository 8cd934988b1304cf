import { unit } from './det.js'

/**
 * What golden files keep of a large tensor: [sum, l2 norm, dot with unit('fingerprint')] and its first 8
 * values.
 */
export interface Fingerprint {
  readonly stats: readonly [sum: number, l2: number, dot: number]
  readonly first8: readonly number[]
}

let weights = unit('fingerprint', 0)

/** Fingerprint of a tensor's values, in float64; `first8` is padded with zeros. */
export function fingerprint(values: Float64Array | Float32Array): Fingerprint {
  if (weights.length < values.length) weights = unit('fingerprint', values.length)
  let sum = 0
  let squares = 0
  let dot = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    sum += value
    squares += value * value
    dot += value * weights[i]!
  }
  const first8 = Array.from({ length: 8 }, (_, i) => values[i] ?? 0)
  return { stats: [sum, Math.sqrt(squares), dot], first8 }
}

/** Relative L2 distance, ||a - b|| / ||b|| (||a - b|| when b is zero). */
export function relL2(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} values against ${b.length}`)
  let distance = 0
  let norm = 0
  for (let i = 0; i < b.length; i++) {
    distance += (a[i]! - b[i]!) ** 2
    norm += b[i]! ** 2
  }
  return Math.sqrt(distance) / (norm > 0 ? Math.sqrt(norm) : 1)
}
