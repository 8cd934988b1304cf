/** Median and extremes of turns, and ratios formed pair by pair. */

/**
 * @typedef {{ median: number, min: number, max: number }} Summary
 */

/**
 * Median of the values (mean of the middle two when their number is even); NaN for none.
 * @param {number[]} values
 */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * @param {number[]} values
 * @returns {Summary}
 */
export function summarise(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

/**
 * Ratio of each turn to the reference's turn of the same round: above 1, the reference is faster.
 * @param {number[]} turns
 * @param {number[]} reference
 * @returns {Summary & { pairs: number[] }}
 */
export function pairRatios(turns, reference) {
  const pairs = turns.map((seconds, round) => seconds / reference[round])
  return { pairs, ...summarise(pairs) }
}
