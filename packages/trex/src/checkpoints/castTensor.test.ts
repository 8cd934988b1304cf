import fc from 'fast-check'
import { expect, test } from 'vitest'
import { castTensor, floatsOf } from './castTensor.js'

const bits = Uint16Array.from({ length: 1 << 16 }, (_, i) => i)
const all = (dtype: 'F16' | 'BF16') => ({ dtype, shape: [1 << 16], data: new Uint8Array(bits.buffer) })
const f32 = (...values: number[]) => ({
  ...{ dtype: 'F32' as const, shape: [values.length] },
  data: new Uint8Array(Float32Array.from(values).buffer),
})
const back = (value: number, dtype: 'F16' | 'BF16') => floatsOf(castTensor(f32(value), dtype))[0]!

test.each(['F16', 'BF16'] as const)('%s: all 65,536 numbers come back', (dtype) => {
  const floats = floatsOf(all(dtype))
  const again = new Uint16Array(castTensor(f32(...floats), dtype).data.buffer)
  const numbers = bits.filter((i) => !Number.isNaN(floats[i]))
  expect(numbers.length).toBe(dtype === 'F16' ? 63_490 : 65_282) // 2^16 without two signs of 1,023 and of 127 NaNs
  expect(numbers.every((i) => again[i] === i)).toBe(true)
  expect(
    bits.filter((i) => Number.isNaN(floats[i])).every((i) => Number.isNaN(back(floats[i]!, dtype))),
  ).toBe(true)
})

test('known numbers: IEEE 754-2008, binary16', () => {
  const [one, smallest, largest] = [0x3c00, 0x0001, 0x7bff].map((i) => floatsOf(all('F16'))[i])
  expect([one, smallest, largest]).toEqual([1, 2 ** -24, 65504])
  expect([back(65519, 'F16'), back(65520, 'F16'), back(2 ** -25, 'F16')]).toEqual([65504, Infinity, 0])
  expect(back(Math.fround(3.4e38), 'BF16')).toBe(Infinity)
})

test.each(['F16', 'BF16'] as const)('%s is the nearest number, the even one of two', (dtype) => {
  const floats = floatsOf(all(dtype))
  const positive = [...bits.slice(0, 0x8000)].map((i) => floats[i]!).filter(Number.isFinite)
  fc.assert(
    fc.property(fc.nat(positive.length - 2), fc.double({ min: 0, max: 1, noNaN: true }), (i, share) => {
      const [low, high] = [positive[i]!, positive[i + 1]!]
      const value = Math.fround(low + share * (high - low))
      const [below, above] = [value - low, high - value]
      const nearest = below < above || (below === above && i % 2 === 0) ? low : high
      expect(back(value, dtype)).toBe(nearest)
      expect(back(-value, dtype)).toBe(-nearest)
    }),
    { numRuns: 2000 },
  )
})

test('integers stay, doubles are rounded once', () => {
  const counter = { dtype: 'I64' as const, shape: [], data: new Uint8Array(8) }
  expect(castTensor(counter, 'F16')).toBe(counter)
  expect(() => floatsOf(counter)).toThrow('elements of type I64 are no weights')
  const double = { dtype: 'F64' as const, shape: [1], data: new Uint8Array(Float64Array.of(0.1).buffer) }
  expect(floatsOf(castTensor(double, 'F32'))[0]).toBe(Math.fround(0.1))
})
