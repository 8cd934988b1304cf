/** How often values occur: what TensorBoard's HistogramProto holds. */
export interface Histogram {
  readonly min: number
  readonly max: number
  readonly count: number
  readonly sum: number
  readonly sumOfSquares: number
  /** The right edge of each bucket, ascending; the last is `max`. */
  readonly limits: readonly number[]
  readonly counts: readonly number[]
}

/** TensorBoard draws as many. */
const BUCKETS = 30

/** Sorts values into 30 buckets of equal width; those that are not finite are left out. All equal: one bucket. */
export function histogramOf(values: Float32Array | Float64Array): Histogram {
  let [min, max, count, sum, sumOfSquares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0]
  for (const value of values) {
    if (!Number.isFinite(value)) continue
    min = Math.min(min, value)
    max = Math.max(max, value)
    count++
    sum += value
    sumOfSquares += value * value
  }
  if (count === 0) return { min: 0, max: 0, count, sum, sumOfSquares, limits: [], counts: [] }
  if (min === max) return { min, max, count, sum, sumOfSquares, limits: [max], counts: [count] }
  const scale = Number.isFinite(max - min) ? 1 : 0.5 // the distance of extremes may overflow
  const range = max * scale - min * scale
  const edge = (part: number) =>
    Math.min(max, scale === 1 ? min + part * range : min * (1 - part) + max * part)
  const limits = Array.from({ length: BUCKETS }, (_, i) => (i + 1 < BUCKETS ? edge((i + 1) / BUCKETS) : max))
  const counts = new Array<number>(BUCKETS).fill(0)
  for (const value of values) {
    if (!Number.isFinite(value)) continue
    const part = (value * scale - min * scale) / range
    counts[Math.min(BUCKETS - 1, Math.floor(part * BUCKETS))]!++
  }
  return { min, max, count, sum, sumOfSquares, limits, counts }
}
