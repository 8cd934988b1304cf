import type { Rng } from '../rng.js'

/** An interval of the real line. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/**
 * A Parzen estimator: a mixture of products of normal distributions, truncated to the intervals; the last component is
 * the prior, centred and as wide as its interval.
 */
export interface Parzen {
  readonly intervals: readonly Interval[]
  /** Of each component; they sum to 1. */
  readonly weights: readonly number[]
  /** Per component and dimension. */
  readonly means: readonly (readonly number[])[]
  readonly deviations: readonly (readonly number[])[]
}

/**
 * The estimator of points in the order of their age, as in Bergstra et al., "Algorithms for Hyper-Parameter
 * Optimization" (NIPS 2011), with the defaults that Optuna documents for its TPESampler: prior weight 1, a component's
 * width is the larger distance to its neighbours (the outermost have one), at least the interval over
 * min(100, 1 + components) (the "magic clip"), and of more than 25 points the older ones weigh less.
 */
export function parzen(points: readonly (readonly number[])[], intervals: readonly Interval[]): Parzen {
  const weights = [...ageWeights(points.length), 1]
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const columns = intervals.map((interval, d) =>
    widths(
      points.map((point) => point[d]!),
      interval,
    ),
  )
  return {
    intervals,
    weights: weights.map((weight) => weight / total),
    means: [...points, intervals.map(({ low, high }) => (low + high) / 2)],
    deviations: weights.map((_, k) => columns.map((column) => column[k]!)),
  }
}

/** 1 for each of the last 25 of n points, rising from 1/n to 1 over those before. */
function ageWeights(n: number): number[] {
  const old = Math.max(0, n - 25)
  return Array.from({ length: n }, (_, i) => {
    if (i >= old) return 1
    return old === 1 ? 1 / n : 1 / n + ((1 - 1 / n) * i) / (old - 1)
  })
}

/** The standard deviations of the points' components and of the prior's. */
function widths(points: readonly number[], { low, high }: Interval): number[] {
  const order = [...points.keys()].sort((a, b) => points[a]! - points[b]!)
  const sorted = order.map((i) => points[i]!)
  const range = high - low
  const least = range / Math.min(100, 2 + points.length)
  const deviations = points.map(() => range)
  for (const [rank, i] of order.entries()) {
    const left = sorted[rank]! - (sorted[rank - 1] ?? (points.length === 1 ? low : Number.POSITIVE_INFINITY))
    const right =
      (sorted[rank + 1] ?? (points.length === 1 ? high : Number.NEGATIVE_INFINITY)) - sorted[rank]!
    deviations[i] = Math.min(Math.max(left, right, least), range)
  }
  return [...deviations, range]
}

/** A point drawn from the mixture. */
export function sample({ intervals, weights, means, deviations }: Parzen, rng: Rng): number[] {
  let left = rng.uniform()
  let k = 0
  while (k < weights.length - 1 && left >= weights[k]!) left -= weights[k++]!
  return intervals.map(({ low, high }, d) => {
    // The mean lies in the interval and the deviation is at most its length: a third or more of the draws fall inside.
    for (;;) {
      const x = means[k]![d]! + deviations[k]![d]! * rng.normal()
      if (x >= low && x <= high) return x
    }
  })
}

/** The logarithm of the mixture's density at a point. */
export function logDensity(
  { intervals, weights, means, deviations }: Parzen,
  point: readonly number[],
): number {
  const logs = weights.map((weight, k) =>
    intervals.reduce((sum, { low, high }, d) => {
      if (low === high) return sum // one value only: no density, and nothing to decide
      const [mean, deviation] = [means[k]![d]!, deviations[k]![d]!]
      const mass = normalCdf((high - mean) / deviation) - normalCdf((low - mean) / deviation)
      const z = (point[d]! - mean) / deviation
      return sum - z ** 2 / 2 - Math.log(deviation * mass * Math.sqrt(2 * Math.PI))
    }, Math.log(weight)),
  )
  const max = Math.max(...logs)
  return max + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - max), 0))
}

/** P(N(0, 1) <= x) to 1e-15: the series of equation 26.2.11 of Abramowitz and Stegun. */
export function normalCdf(x: number): number {
  if (Math.abs(x) > 8.5) return x > 0 ? 1 : 0
  let [term, sum] = [x, x]
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
    term *= x ** 2 / k
    sum += term
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)
}
