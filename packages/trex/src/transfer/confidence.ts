/** Values over seeds. */
export interface SeedMean {
  readonly mean: number
  /** Of the sample (n - 1); null of one value. */
  readonly deviation: number | null
  /** Half the width of the 95 % confidence interval of the mean, by Student's t; null of one value. */
  readonly confidence95: number | null
}

// Student's t at 97.5 %, by degrees of freedom.
const T = [
  12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281, 2.201, 2.1788, 2.1604,
  2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.093, 2.086, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555,
  2.0518, 2.0484, 2.0452, 2.0423,
]

/** Mean, deviation and confidence interval of one score per seed. */
export function seedMean(values: readonly number[]): SeedMean {
  const n = values.length
  const mean = values.reduce((sum, value) => sum + value, 0) / n
  if (n < 2) return { mean, deviation: null, confidence95: null }
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1))
  return { mean, deviation, confidence95: (quantile(n - 1) * deviation) / Math.sqrt(n) }
}

/** Beyond the table by the expansion 26.7.5 of Abramowitz and Stegun. */
function quantile(df: number): number {
  const z = 1.959963984540054
  return T[df - 1] ?? z + (z ** 3 + z) / (4 * df) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * df ** 2)
}
