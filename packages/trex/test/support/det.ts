/** Hash of a name that seeds its numbers: FNV-1a, 32 bits, over UTF-8. */
export function fnv1a32(name: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** The i-th 32-bit number of the stream that `seed` starts. */
export function hash32(seed: number, i: number): number {
  let x = (seed + Math.imul(i, 0x9e3779b9)) | 0
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return (x ^ (x >>> 16)) >>> 0
}

/** `count` numbers in [-1, 1), multiples of 2^-23, that depend on the name alone. */
export function unit(name: string, count: number): Float64Array {
  const seed = fnv1a32(name)
  const values = new Float64Array(count)
  for (let i = 0; i < count; i++) values[i] = (hash32(seed, i) >>> 8) / 2 ** 23 - 1
  return values
}

/** A float32 tensor, bias + scale * unit, row by row. */
export function det(name: string, shape: readonly number[], scale: number, bias = 0): Float32Array {
  const count = shape.reduce((product, dim) => product * dim, 1)
  const seed = fnv1a32(name)
  const values = new Float32Array(count)
  for (let i = 0; i < count; i++) values[i] = bias + scale * ((hash32(seed, i) >>> 8) / 2 ** 23 - 1)
  return values
}

/** `count` class numbers in [0, classes). */
export function labels(name: string, count: number, classes: number): BigInt64Array {
  const seed = fnv1a32(name)
  return BigInt64Array.from({ length: count }, (_, i) => BigInt((hash32(seed, i) >>> 8) % classes))
}

/**
 * Images [N, C, S, S]: a sum of an offset per channel, 4 x 4 and 16 x 16 blocks and noise (noise alone would
 * make batch statistics ill conditioned). S is a multiple of 16.
 */
export function detImages(name: string, n: number, c: number, size: number): Float32Array {
  if (size % 16 !== 0) throw new RangeError(`image size ${size} is no multiple of 16`)
  const planes = n * c
  const offset = unit(`${name}.d`, planes)
  const coarse = unit(`${name}.a`, planes * 4 * 4)
  const fine = unit(`${name}.b`, planes * 16 * 16)
  const noise = unit(`${name}.p`, planes * size * size)
  const block = (values: Float64Array, blocks: number, plane: number, y: number, x: number) => {
    const row = Math.floor((y * blocks) / size)
    const column = Math.floor((x * blocks) / size)
    return values[(plane * blocks + row) * blocks + column]!
  }
  return Float32Array.from(noise, (p, i) => {
    const x = i % size
    const y = Math.floor(i / size) % size
    const plane = Math.floor(i / (size * size))
    return offset[plane]! + 1.2 * block(coarse, 4, plane, y, x) + 0.8 * block(fine, 16, plane, y, x) + 0.3 * p
  })
}
