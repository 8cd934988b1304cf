import fc from 'fast-check'
import { fromTypedArray, liveTensors, type Tensor, tensor, tidy } from 'trex-torch'
import { expect, test } from 'vitest'
import { prototypeDrift } from './prototypeDrift.js'

const drift = (before: number[][], after: number[][], dtype: 'float32' | 'float64' = 'float64') =>
  tidy(() => prototypeDrift(tensor(before, { dtype }), tensor(after, { dtype })).item())

test('is the mean distance of the directions', () => {
  const quarter = Math.SQRT2 // between axes
  expect(
    drift(
      [
        [3, 0],
        [0, 2],
      ],
      [
        [0, 5],
        [0, 1],
      ],
    ),
  ).toBeCloseTo(quarter / 2, 15)
  expect(drift([[1, 0]], [[-4, 0]])).toBe(2)
  expect(drift([[1e-20, 0]], [[0, 1e-20]])).toBeCloseTo(quarter, 15)
  const angle = 1e-3
  expect(drift([[1, 0]], [[Math.cos(angle), Math.sin(angle)]], 'float32')).toBeCloseTo(
    2 * Math.sin(angle / 2),
    7,
  )
})

test('leaves out classes that are zero before or after', () => {
  expect(
    drift(
      [
        [1, 0],
        [0, 0],
        [2, 0],
      ],
      [
        [0, 1],
        [1, 0],
        [0, 0],
      ],
    ),
  ).toBeCloseTo(Math.SQRT2, 15)
  expect(drift([[0, 0]], [[0, 0]])).toBe(0)
})

test('is one value without gradient, and leaves nothing behind', () => {
  const before = tensor([[1, 0]], { requiresGrad: true })
  const count = liveTensors()
  const moved = prototypeDrift(before, before)
  expect([moved.shape, moved.requiresGrad, moved.dtype, liveTensors() - count]).toEqual([
    [],
    false,
    'float32',
    1,
  ])
  moved.dispose()
  before.dispose()
})

const matrix = (rows: number, columns: number) =>
  fc.array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: columns, maxLength: columns }), {
    ...{ minLength: rows, maxLength: rows },
  })

test('does not see lengths or rotations, and is symmetric', () => {
  fc.assert(
    fc.property(
      matrix(4, 2),
      matrix(4, 2),
      fc.double({ min: 0.1, max: 10, noNaN: true }),
      fc.double({ min: 0, max: 6, noNaN: true }),
      (a, b, scale, angle) => {
        const turn = ([x, y]: number[]) => [
          scale * (Math.cos(angle) * x! - Math.sin(angle) * y!),
          scale * (Math.sin(angle) * x! + Math.cos(angle) * y!),
        ]
        const plain = oracle(a, b)
        for (const value of [drift(a, b), drift(b, a), drift(a.map(turn), b.map(turn))])
          expect(value).toBeCloseTo(plain, 6)
      },
    ),
  )
})

/** By the definition, one class at a time. */
function oracle(before: number[][], after: number[][]): number {
  const distances = before.flatMap((row, c) => {
    const [p, q] = [Math.hypot(...row), Math.hypot(...after[c]!)]
    return p === 0 || q === 0 ? [] : [Math.hypot(...row.map((value, d) => after[c]![d]! / q - value / p))]
  })
  return distances.reduce((a, b) => a + b, 0) / Math.max(1, distances.length)
}

test('of prototypes on another number of classes is an error of the engine', () => {
  const wrong = (a: Tensor, b: Tensor) => tidy(() => prototypeDrift(a, b))
  const [a, b] = [fromTypedArray(new Float32Array(6), [3, 2]), fromTypedArray(new Float32Array(4), [2, 2])]
  expect(() => wrong(a, b)).toThrow(/size/)
  a.dispose()
  b.dispose()
})
