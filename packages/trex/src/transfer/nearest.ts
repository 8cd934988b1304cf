import { fromTypedArray, noGrad, type Tensor, tidy } from 'trex-torch'
import { TrexError } from '../errors.js'
import { type FeatureSet, normalizeFeatures } from './featureSet.js'

/** The k nearest gallery rows of each query, best first. */
export interface Neighbours {
  /** [queries, k], rows of the gallery. */
  readonly indices: Int32Array
  /** [queries, k], cosines. */
  readonly similarities: Float32Array
}

/** Most similarities that are in memory at a time: 256 MB of them. */
const BLOCK = 1 << 26
/** Rows that are taken besides the k, so that those whose order rounding may have changed are among them. */
const SPARE = 16
/** So many rows are taken where those do not suffice: of features that have collapsed, all rows are equally near. */
const MANY = 1024

/**
 * The `k` gallery rows with the highest cosine to each query; a query that is in the gallery finds itself first. Queries
 * are compared in blocks of bounded memory. libtorch finds the candidates in float32; which of them are nearest is
 * decided by float64 products of the same rows, and of equal ones the earlier row comes first: the answer depends
 * neither on the machine nor on the blocks, unless over a thousand rows are as near as float32 can tell.
 * @throws TrexError for different widths, or fewer than `k` rows in the gallery.
 */
export function nearest(
  queries: FeatureSet,
  gallery: FeatureSet,
  k: number,
  { block = BLOCK } = {},
): Neighbours {
  const { dim } = gallery
  const [q, n] = [queries.labels.length, gallery.labels.length]
  if (queries.dim !== dim) throw new TrexError(`queries have ${queries.dim} features, the gallery has ${dim}`)
  if (!(Number.isInteger(k) && k >= 1 && k <= n))
    throw new TrexError(`k is ${k}, but the gallery has ${n} rows`)
  const a = normalizeFeatures(queries, 'l2').features
  const b = normalizeFeatures(gallery, 'l2').features
  const indices = new Int32Array(q * k)
  const similarities = new Float32Array(q * k)
  const rows = Math.max(1, Math.floor(block / n))
  tidy(() =>
    noGrad(() => {
      const transposed = fromTypedArray(b, [n, dim]).t() // [D, n]
      for (let start = 0; start < q; start += rows) {
        const end = Math.min(q, start + rows)
        const candidates = tidy(() =>
          candidatesOf(fromTypedArray(a.subarray(start * dim, end * dim), [end - start, dim]), transposed, k),
        )
        for (const [i, found] of candidates.entries()) {
          const row = start + i
          const best = byCosine(a.subarray(row * dim, (row + 1) * dim), b, found).slice(0, k)
          indices.set(
            best.map(({ index }) => index),
            row * k,
          )
          similarities.set(
            best.map(({ cosine }) => cosine),
            row * k,
          )
        }
      }
    }),
  )
  return { indices, similarities }
}

/** For each query of a block the rows that may be among its k nearest, in spite of float32. */
function candidatesOf(queries: Tensor, gallery: Tensor, k: number): (readonly number[])[] {
  const [dim, n] = gallery.shape as [number, number]
  const products = queries.matmul(gallery) // [b, n]
  const taken = Math.min(n, k + SPARE)
  const most = Math.min(n, Math.max(MANY, 2 * k))
  const [values, places] = products.topk(taken, 1) // [b, taken] each
  const [top, at] = [values.toFloat32Array(), places.to('int32').toTypedArray() as Int32Array]
  // A float32 product of unit vectors is off by at most about D * 2^-24; two of them are compared.
  const margin = 2 * (dim + 2) * 2 ** -24
  return Array.from({ length: queries.size(0) }, (_, i) => {
    const least = top[i * taken + k - 1]! - margin
    const near = (similarities: Float32Array, rows: Int32Array) =>
      Array.from(rows).filter((_, rank) => similarities[rank]! >= least)
    const end = (i + 1) * taken
    if (taken === n || top[end - 1]! < least)
      return near(top.subarray(i * taken, end), at.subarray(i * taken, end))
    return tidy(() => {
      const [more, rows] = products.select(0, i).topk(most) // [most] each
      return near(more.toFloat32Array(), rows.to('int32').toTypedArray() as Int32Array)
    })
  })
}

/** Rows of the gallery with their float64 cosines to a query, the nearest first, of equal ones the earlier. */
function byCosine(query: Float32Array, gallery: Float32Array, rows: readonly number[]) {
  const dim = query.length
  return rows
    .map((index) => {
      let cosine = 0
      for (let i = 0; i < dim; i++) cosine += query[i]! * gallery[index * dim + i]!
      return { index, cosine }
    })
    .sort((a, b) => b.cosine - a.cosine || a.index - b.index)
}
