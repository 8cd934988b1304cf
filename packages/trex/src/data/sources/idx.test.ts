import { expect, test } from 'vitest'
import { parseIdx } from './idx.js'

const header = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3]

test('reads sizes and values', () => {
  const { shape, data } = parseIdx(Uint8Array.from([...header, 1, 2, 3, 4, 5, 6]), 'x')
  expect(shape).toEqual([2, 3])
  expect([...data]).toEqual([1, 2, 3, 4, 5, 6])
})

test.each([
  ['too short for a header', [0, 0, 8]],
  ['another type', [0, 0, 13, 1, 0, 0, 0, 0]],
  ['sizes cut off', header.slice(0, 9)],
  ['values cut off', [...header, 1, 2, 3, 4, 5]],
  ['too many values', [...header, 1, 2, 3, 4, 5, 6, 7]],
  ['sizes beyond memory', [0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255, 1]],
])('refuses %s', (_, bytes) => {
  expect(() => parseIdx(Uint8Array.from(bytes), 'digits')).toThrow(/^digits is not a whole IDX file of bytes/)
})
