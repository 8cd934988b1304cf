import { type RawDtype, type RawTensor, typedArrayOf } from 'trex-torch/safetensors-format'

/** Types of floating-point elements that weights are written in. */
export type FloatDtype = 'F32' | 'F16' | 'BF16'

/** Whether elements are floating-point numbers that weights are written in. */
export const isFloat = (dtype: RawDtype): boolean => dtype === 'F64' || dtype in FROM

/** A tensor in another floating-point type, rounded to nearest, ties to even; one of integers is returned as it is. */
export function castTensor(raw: RawTensor, dtype: FloatDtype): RawTensor {
  if (raw.dtype === dtype || !isFloat(raw.dtype)) return raw
  const values = floatsOf(raw)
  const elements = dtype === 'F32' ? values : Uint16Array.from(values, dtype === 'F16' ? toHalf : toBfloat16)
  return {
    dtype,
    shape: raw.shape,
    data: new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength),
  }
}

/** The elements as float32; a view where they are. @throws TypeError when they are no floating-point numbers. */
export function floatsOf(raw: RawTensor): Float32Array {
  const array = typedArrayOf(raw)
  if (array instanceof Float32Array) return array
  if (array instanceof Float64Array) return Float32Array.from(array)
  const from = FROM[raw.dtype as 'F16' | 'BF16']
  if (!from) throw new TypeError(`elements of type ${raw.dtype} are no weights`)
  return Float32Array.from(array as Uint16Array, from)
}

const word = new Uint32Array(1)
const float = new Float32Array(word.buffer)

function fromBfloat16(bits: number): number {
  word[0] = bits << 16
  return float[0]!
}

function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const [exponent, mantissa] = [(bits >> 10) & 31, bits & 1023]
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (exponent ? 2 ** (exponent - 25) * (1024 + mantissa) : 2 ** -24 * mantissa)
}

const FROM = { F32: (value: number) => value, F16: fromHalf, BF16: fromBfloat16 } as const

function toBfloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0
  float[0] = value
  return (word[0]! + 0x7fff + ((word[0]! >>> 16) & 1)) >>> 16
}

const SUBNORMAL = 0x38800000 // 2^-14 as float32; below it halves are multiples of 2^-24
const OVERFLOW = 0x477ff000 // 65520: from here on the nearest half is infinite
const REBIAS = (15 - 127) << 23

/** IEEE 754 binary16 of a float32. */
function toHalf(value: number): number {
  float[0] = value
  const sign = (word[0]! >>> 16) & 0x8000
  const size = word[0]! & 0x7fffffff
  if (size > 0x7f800000) return 0x7e00
  if (size >= OVERFLOW) return sign | 0x7c00
  if (size < SUBNORMAL) {
    float[0] = Math.abs(value) + 0.5 // whose last bit is 2^-24: the sum is rounded as the half is
    return sign | (word[0]! - 0x3f000000)
  }
  return sign | ((size + REBIAS + 0xfff + ((size >>> 13) & 1)) >>> 13)
}
