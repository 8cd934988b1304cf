import { expect } from 'vitest'
import type { Tensor } from '../../src/index.js'

/** The elements as plain numbers, row-major. */
export const values = (tensor: Tensor): number[] => Array.from(tensor.toTypedArray(), Number)

/** Asserts the elements one by one, within `tolerance` relative to 1 + |expected|. */
export function expectClose(
  actual: Tensor | ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = 1e-6,
): void {
  const found = 'handle' in actual ? values(actual as Tensor) : Array.from(actual)
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
