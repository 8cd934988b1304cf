import { fromTypedArray, tidy } from 'trex-torch'
import { expect, test } from 'vitest'
import { castTensor, type FloatDtype, floatsOf } from './castTensor.js'

const all = Uint16Array.from({ length: 1 << 16 }, (_, i) => i)
const read = (dtype: FloatDtype, bits: Uint16Array) =>
  floatsOf({ dtype, shape: [bits.length], data: new Uint8Array(bits.buffer) })
const halvesOf = (values: Float32Array) =>
  new Uint16Array(
    castTensor({ dtype: 'F32', shape: [values.length], data: new Uint8Array(values.buffer) }, 'F16').data
      .buffer,
  )
const same = (a: Float32Array, b: Float32Array) => a.every((value, i) => Object.is(value, b[i]))

test('every half and bfloat16 is read as the engine does, and every half comes back', () => {
  for (const [dtype, raw] of [
    ['float16', 'F16'],
    ['bfloat16', 'BF16'],
  ] as const) {
    const expected = tidy(() => fromTypedArray(all, [1 << 16], { dtype }).toFloat32Array())
    expect(same(read(raw, all), expected), dtype).toBe(true)
  }
  const finite = all.filter((half) => (half & 0x7c00) !== 0x7c00 || (half & 0x3ff) === 0)
  expect(halvesOf(read('F16', finite))).toEqual(finite)
  expect(halvesOf(Float32Array.of(Number.NaN))[0]).toBe(0x7e00)
})

test('what lies between two halves is rounded as the engine does', () => {
  const finite = read(
    'F16',
    all.filter((half) => half < 0x7c00),
  )
  const between = [...finite].flatMap((value, i) => {
    const next = finite[i + 1] ?? 65536
    return [0.25, 0.5, 0.500001, 0.75].flatMap((t) => [
      value + t * (next - value),
      -(value + t * (next - value)),
    ])
  })
  const values = Float32Array.from(between)
  const expected = tidy(() =>
    fromTypedArray(values, [values.length]).to('float16').to('float32').toFloat32Array(),
  )
  expect(same(read('F16', halvesOf(values)), expected)).toBe(true)
})
