import { expect } from 'vitest'

/** What of a tensor is read here (so that tensors of `src/` and of the built package both fit). */
interface Readable {
  toTypedArray(): ArrayLike<number | bigint>
}

/** The elements as plain numbers, row-major. */
export const values = (tensor: Readable): number[] => Array.from(tensor.toTypedArray(), Number)

/** Asserts the elements one by one, within `tolerance` relative to 1 + |expected|. */
export function expectClose(
  actual: Readable | ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = 1e-6,
): void {
  const found = 'toTypedArray' in actual ? values(actual) : Array.from(actual)
  expect(found).toHaveLength(expected.length)
  const off = found.findIndex(
    (value, i) => !(Math.abs(value - expected[i]!) <= tolerance * (1 + Math.abs(expected[i]!))),
  )
  if (off >= 0) expect.fail(`element ${off} is ${found[off]}, expected ${expected[off]}; all: ${found}`)
}

/** The `code` of the error that `body` throws. */
export function codeOf(body: () => unknown): string {
  try {
    body()
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).name
  }
  return 'no error'
}
