import { afterAll, afterEach, expect } from 'vitest'
import { type Fingerprint, fingerprint, relL2 } from './fingerprint.js'

const worst = new Map<string, { at: string; error: number; tolerance: number }>()
const failures: string[] = []

/**
 * Asserts an error; a test fails at its end with the list of all that were too large. `TREX_GOLDEN_REPORT=1` prints
 * the worst of every `group` after the file's tests.
 */
export function expectError(group: string, at: string, error: number, tolerance: number): void {
  const known = worst.get(group)
  if (!known || !(error / tolerance <= known.error / known.tolerance))
    worst.set(group, { at, error, tolerance })
  if (!(error <= tolerance))
    failures.push(`${group}: ${at} is off by ${error.toExponential(1)} of ${tolerance}`)
}

/** Asserts the relative L2 distance of `actual` from `expected`. */
export function expectClose(
  group: string,
  at: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  expectError(group, at, relL2(actual, expected), tolerance)
}

/** Asserts the largest difference, relative to `scale`: by default the largest expected magnitude. */
export function expectCloseToMax(
  group: string,
  at: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  scale = maxAbs(expected),
): void {
  if (actual.length !== expected.length)
    throw new RangeError(`${actual.length} values against ${expected.length}`)
  let error = 0
  for (let i = 0; i < expected.length; i++) error = Math.max(error, Math.abs(actual[i]! - expected[i]!))
  expectError(group, at, error / (scale || 1), tolerance)
}

/** The largest magnitude. */
export function maxAbs(values: ArrayLike<number>): number {
  let max = 0
  for (let i = 0; i < values.length; i++) max = Math.max(max, Math.abs(values[i]!))
  return max
}

/** Asserts a tensor's fingerprint, relative to `scale`: by default the expected l2 norm. */
export function expectFingerprint(
  group: string,
  at: string,
  actual: Float64Array,
  expected: Fingerprint,
  tolerance: number,
  scale = expected.stats[1],
): void {
  const { stats, first8 } = fingerprint(actual)
  const [sum, l2, dot] = stats.map((value, i) => Math.abs(value - expected.stats[i]!)) as [
    number,
    number,
    number,
  ]
  const first = Math.max(...first8.map((value, i) => Math.abs(value - expected.first8[i]!)))
  expectError(group, at, Math.max(sum / Math.sqrt(actual.length), l2, dot, first) / (scale || 1), tolerance)
}

afterEach(() => {
  const found = failures.splice(0)
  if (found.length) expect.fail(`${found.length} errors above tolerance:\n${found.slice(0, 20).join('\n')}`)
})

afterAll(() => {
  if (!process.env.TREX_GOLDEN_REPORT) return
  for (const [group, { at, error, tolerance }] of worst)
    console.log(`${group.padEnd(40)} ${error.toExponential(1)} of ${tolerance.toExponential(0)}  ${at}`)
})
