/** How far rows are from those that are expected. */
export interface OutputErrors {
  /** max |a - b| */
  readonly maxAbsoluteError: number
  /** max |a - b| / max |b|: relative to the largest expected value. */
  readonly maxRelativeError: number
  /**
   * max |a - b| / max |b| of one value of all rows: the median over the values. Where a few of them are far larger than the
   * rest, as in vision transformers, `maxRelativeError` says nothing of these.
   */
  readonly medianRelativeError: number
  /** 1 - cos(a, b) of a row: the largest, and the mean over the rows. */
  readonly maxCosineError: number
  readonly meanCosineError: number
}

/** Errors of `count` rows; what is not finite makes them NaN. */
export function outputErrors(actual: Float32Array, expected: Float32Array, count: number): OutputErrors {
  const width = expected.length / count
  if (count === 0) throw new RangeError('there are no rows to compare')
  if (actual.length !== expected.length)
    throw new RangeError(`${actual.length} values against ${expected.length} that are expected`)
  let [error, largest] = [0, 0]
  for (const [i, value] of expected.entries()) {
    error = Math.max(error, Math.abs(actual[i]! - value)) // NaN stays
    largest = Math.max(largest, Math.abs(value))
  }
  const cosines = Array.from({ length: count }, (_, row) => {
    const [a, b] = [actual, expected].map((values) => values.subarray(row * width, (row + 1) * width))
    return Math.max(0, 1 - cosine(a!, b!))
  })
  return {
    maxAbsoluteError: error,
    maxRelativeError: error / (largest || 1),
    medianRelativeError: median(columnErrors(actual, expected, width)),
    maxCosineError: Math.max(...cosines),
    meanCosineError: cosines.reduce((sum, value) => sum + value, 0) / count,
  }
}

/** max |a - b| / max |b| of each value over the rows; 0 where both are zeros. */
function columnErrors(actual: Float32Array, expected: Float32Array, width: number): Float64Array {
  const [errors, largest] = [new Float64Array(width), new Float64Array(width)]
  for (const [i, value] of expected.entries()) {
    const column = i % width
    errors[column] = Math.max(errors[column]!, Math.abs(actual[i]! - value))
    largest[column] = Math.max(largest[column]!, Math.abs(value))
  }
  return errors.map((error, i) => error && error / largest[i]!)
}

const median = (values: Float64Array): number => values.sort()[values.length >> 1] ?? Number.NaN

/** The cosine of the angle between two vectors, of zeros 0; in float64. */
function cosine(a: Float32Array, b: Float32Array): number {
  const norms = Math.sqrt(dot(a, a) * dot(b, b))
  return norms === 0 ? 0 : dot(a, b) / norms
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/**
 * The share of rows whose nearest other row by cosine (of equal ones the first) is the same among `actual` as among
 * `expected`: each is compared within itself, as features are used.
 */
export function neighbourAgreement(actual: Float32Array, expected: Float32Array, count: number): number {
  const [a, b] = [neighbours(actual, count), neighbours(expected, count)]
  return a.filter((neighbour, i) => neighbour === b[i]).length / count
}

function neighbours(values: Float32Array, count: number): number[] {
  const width = values.length / count
  const rows = Array.from({ length: count }, (_, row) => values.subarray(row * width, (row + 1) * width))
  const norms = rows.map((row) => Math.sqrt(dot(row, row)) || 1)
  const best = rows.map(() => ({ row: -1, cosine: Number.NEGATIVE_INFINITY }))
  for (let i = 0; i < count; i++)
    for (let j = 0; j < i; j++) {
      const cosine = dot(rows[i]!, rows[j]!) / (norms[i]! * norms[j]!)
      if (cosine > best[i]!.cosine) best[i] = { row: j, cosine }
      if (cosine > best[j]!.cosine) best[j] = { row: i, cosine }
    }
  return best.map(({ row }) => row)
}
