import { fromTypedArray, Generator, randn, tidy } from 'trex-torch'
import { expect, test } from 'vitest'
import { positionsAt as positionsOfEngine } from '../method/vitPositions.js'
import { positionsAt } from './positions.js'

test.each([[[5, 5]], [[2, 2]], [[4, 9]], [[3, 3]]] as const)(
  'positions at a grid of %j are those of the engine',
  (grid) => {
    const own = tidy(() => randn([1, 10, 4], { generator: new Generator(6) }).toFloat32Array())
    const expected = tidy(() => positionsOfEngine(fromTypedArray(own, [1, 10, 4]), grid).toFloat32Array())
    const resized = positionsAt(own, 4, grid)
    expect(resized.length).toBe(expected.length)
    for (const [i, value] of resized.entries()) expect(value).toBeCloseTo(expected[i]!, 5)
  },
)

test('patches of no square are refused', () => {
  expect(() => positionsAt(new Float32Array(36), 4, [2, 2])).toThrow(/no square/)
})
