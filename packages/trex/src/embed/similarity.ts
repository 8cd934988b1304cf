import { TrexError } from '../errors.js'
import type { Rows } from './session.js'

/** Rows [n, D] as `embed` gives them, or one vector. */
export type Vectors = Rows | Float32Array

/** Vectors with their number and width, checked. @throws TrexError for numbers that do not fit. */
export function rowsOf(vectors: Vectors, what: string): Rows {
  const rows: Rows =
    vectors instanceof Float32Array ? { features: vectors, shape: [1, vectors.length] } : vectors
  const [n, width] = rows.shape
  const counts = Number.isSafeInteger(n) && n >= 0 && Number.isSafeInteger(width) && width >= 1
  if (!(counts && rows.features instanceof Float32Array && rows.features.length === n * width))
    throw new TrexError(`${what} of [${rows.shape}] do not have ${rows.features.length} values`, {
      hint: 'give what embed returned: { features: Float32Array, shape: [n, D] }',
    })
  return rows
}

/** Two lists of vectors of one width. @throws TrexError that says both. */
export function checkWidths(a: Rows, b: Rows, names: readonly [string, string]): void {
  if (a.shape[1] === b.shape[1]) return
  throw new TrexError(`${names[0]} have ${a.shape[1]} numbers each, ${names[1]} have ${b.shape[1]}`, {
    hint: 'compare features of one model',
  })
}

/**
 * The cosine of the angle between each vector of `a` and each of `b`, [n, m]; 0 with a vector of zeros.
 * @returns a Float32Array, row-major: that of `a`'s i-th and `b`'s j-th vector is at i * m + j
 * @throws TrexError for vectors of different widths.
 */
export function similarity(a: Vectors, b: Vectors): Float32Array {
  const [x, y] = [rowsOf(a, 'the first vectors'), rowsOf(b, 'the second vectors')]
  checkWidths(x, y, ['the first vectors', 'the second'])
  const [n, width] = x.shape
  const m = y.shape[0]
  const [u, v] = [inverseLengths(x), inverseLengths(y)]
  const cosines = new Float32Array(n * m)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++)
      cosines[i * m + j] = dot(x.features, i * width, y.features, j * width, width) * u[i]! * v[j]!
  return cosines
}

/** 1 / length of each vector, 0 of one of zeros. */
export function inverseLengths({ features, shape: [n, width] }: Rows): Float64Array {
  return Float64Array.from({ length: n }, (_, row) => {
    const squares = dot(features, row * width, features, row * width, width)
    return squares > 0 ? 1 / Math.sqrt(squares) : 0
  })
}

/** The inner product of two vectors at their places, in float64. */
export function dot(a: Float32Array, atA: number, b: Float32Array, atB: number, width: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0]
  const end = width - (width % 4)
  for (let i = 0; i < end; i += 4) {
    s0 += a[atA + i]! * b[atB + i]!
    s1 += a[atA + i + 1]! * b[atB + i + 1]!
    s2 += a[atA + i + 2]! * b[atB + i + 2]!
    s3 += a[atA + i + 3]! * b[atB + i + 3]!
  }
  for (let i = end; i < width; i++) s0 += a[atA + i]! * b[atB + i]!
  return s0 + s1 + (s2 + s3)
}
