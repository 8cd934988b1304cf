import { TrexError } from '../errors.js'
import type { Rows } from './session.js'
import { checkWidths, inverseLengths, rowsOf, type Vectors } from './similarity.js'

/** How near two vectors are: the cosine of their angle, or the Euclidean distance. */
export type Metric = 'cosine' | 'euclidean'

/** The k nearest vectors of each query, best first. */
export interface Nearest {
  /** [queries, k], row-major: places among the searched vectors. */
  readonly indices: Int32Array
  /** [queries, k], row-major: cosines, or distances. */
  readonly scores: Float32Array
  /** [queries, k] */
  readonly shape: readonly [number, number]
}

/** Bytes of searched vectors that all queries are compared with before the next: about a second-level cache. */
const BLOCK_BYTES = 1 << 19

/**
 * The `k` of `features` that are nearest to each query, by exact search in float64: of equally near ones that of the
 * lower index comes first, and the answer depends on nothing but the numbers.
 * @throws TrexError for different widths, a `k` that is more than there are, and numbers that are not finite.
 */
export function nearest(
  queries: Vectors,
  features: Vectors,
  k: number,
  { metric = 'cosine' }: { readonly metric?: Metric } = {},
): Nearest {
  const [q, f] = [rowsOf(queries, 'the queries'), rowsOf(features, 'the features')]
  checkWidths(q, f, ['the queries', 'the features'])
  const [[count, width], [n]] = [q.shape, f.shape]
  if (!(Number.isSafeInteger(k) && k >= 1 && k <= n))
    throw new TrexError(`k is ${k}, and there are ${n} vectors`, { hint: `give a k from 1 to ${n}` })
  if (metric !== 'cosine' && metric !== 'euclidean')
    throw new TrexError(`there is no metric ${metric}`, { hint: 'cosine or euclidean' })
  const [u, v] = [lengthsOf(q, 'query'), lengthsOf(f, 'vector')]
  const best = Array.from({ length: count }, () => topK(k))
  const rows = Math.max(4, BLOCK_BYTES / (4 * width)) & ~3
  const values = new Float64Array(rows)
  const compare = metric === 'cosine' ? products : squaredDistances
  for (let begin = 0; begin < n; begin += rows) {
    const some = Math.min(rows, n - begin)
    for (const [row, top] of best.entries()) {
      compare(q.features, row * width, f.features, begin * width, width, some, values)
      for (let i = 0; i < some; i++)
        top.offer(metric === 'cosine' ? values[i]! * u[row]! * v[begin + i]! : -values[i]!, begin + i)
    }
  }
  const indices = new Int32Array(count * k)
  const scores = new Float32Array(count * k)
  for (const [row, top] of best.entries())
    for (const [rank, { index, value }] of top.sorted().entries()) {
      indices[row * k + rank] = index
      scores[row * k + rank] = metric === 'cosine' ? value : Math.sqrt(-value)
    }
  return { indices, scores, shape: [count, k] }
}

function lengthsOf(rows: Rows, what: string): Float64Array {
  const lengths = inverseLengths(rows)
  const [n, width] = rows.shape
  for (let row = 0; row < n; row++) {
    if (lengths[row]! > 0) continue
    const wrong = rows.features.subarray(row * width, (row + 1) * width).find((x) => !Number.isFinite(x))
    if (wrong !== undefined)
      throw new TrexError(`${what} ${row} holds ${wrong}`, { hint: 'leave it out, or embed its image again' })
  }
  return lengths
}

/** A comparison of the vector of `a` at `atA` with `rows` ones of `b` from `atB` on; each sum in the order of numbers. */
type Compare = (
  a: Float32Array,
  atA: number,
  b: Float32Array,
  atB: number,
  width: number,
  rows: number,
  out: Float64Array,
) => void

const products: Compare = (a, atA, b, atB, width, rows, out) => {
  // Four rows at a time: their sums do not wait for one another. Rows past the end are of others, and not used.
  for (let row = 0; row < rows; row += 4) {
    const p0 = atB + row * width
    const [p1, p2, p3] = [p0 + width, p0 + 2 * width, p0 + 3 * width]
    let [s0, s1, s2, s3] = [0, 0, 0, 0]
    for (let i = 0; i < width; i++) {
      const x = a[atA + i]!
      s0 += x * b[p0 + i]!
      s1 += x * b[p1 + i]!
      s2 += x * b[p2 + i]!
      s3 += x * b[p3 + i]!
    }
    out[row] = s0
    out[row + 1] = s1
    out[row + 2] = s2
    out[row + 3] = s3
  }
}

const squaredDistances: Compare = (a, atA, b, atB, width, rows, out) => {
  for (let row = 0; row < rows; row += 4) {
    const p0 = atB + row * width
    const [p1, p2, p3] = [p0 + width, p0 + 2 * width, p0 + 3 * width]
    let [s0, s1, s2, s3] = [0, 0, 0, 0]
    for (let i = 0; i < width; i++) {
      const x = a[atA + i]!
      const d0 = x - b[p0 + i]!
      const d1 = x - b[p1 + i]!
      const d2 = x - b[p2 + i]!
      const d3 = x - b[p3 + i]!
      s0 += d0 * d0
      s1 += d1 * d1
      s2 += d2 * d2
      s3 += d3 * d3
    }
    out[row] = s0
    out[row + 1] = s1
    out[row + 2] = s2
    out[row + 3] = s3
  }
}

/** The k largest of the values offered, of equal ones those offered first: a heap with the least of them on top. */
function topK(k: number) {
  const values = new Float64Array(k)
  const indices = new Int32Array(k)
  let size = 0
  const below = (a: number, b: number) =>
    values[a]! < values[b]! || (values[a]! === values[b]! && indices[a]! > indices[b]!)
  const swap = (a: number, b: number) => {
    const [value, index] = [values[a]!, indices[a]!]
    values[a] = values[b]!
    indices[a] = indices[b]!
    values[b] = value
    indices[b] = index
  }
  return {
    /** Offers a value; indices come in ascending order. */
    offer(value: number, index: number) {
      if (size === k && value <= values[0]!) return
      let at = size < k ? size++ : 0
      values[at] = value
      indices[at] = index
      for (let up = (at - 1) >> 1; at > 0 && below(at, up); up = (at - 1) >> 1) {
        swap(at, up)
        at = up
      }
      for (;;) {
        const left = 2 * at + 1
        if (left >= size) return
        const least = left + 1 < size && below(left + 1, left) ? left + 1 : left
        if (!below(least, at)) return
        swap(at, least)
        at = least
      }
    },
    sorted: () =>
      Array.from({ length: size }, (_, i) => ({ value: values[i]!, index: indices[i]! })).sort(
        (a, b) => b.value - a.value || a.index - b.index,
      ),
  }
}
