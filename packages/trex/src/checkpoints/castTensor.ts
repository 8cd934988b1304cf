import { type RawDtype, type RawTensor, typedArrayOf } from 'trex-torch/safetensors-format'

/** Types of floating-point elements that weights are written in. */
export type FloatDtype = 'F32' | 'F16' | 'BF16'

/** Whether elements are floating-point numbers that weights are written in. */
export const isFloat = (dtype: RawDtype): boolean => dtype === 'F64' || dtype in FROM

/** A tensor in another floating-point type, rounded to nearest, ties to even; one of integers is returned as it is. */
export function castTensor(raw: RawTensor, dtype: FloatDtype): RawTensor {
  if (raw.dtype === dtype || !isFloat(raw.dtype)) return raw
  const values = floatsOf(raw)
  const elements = dtype === 'F32' ? values : toBits(values, dtype === 'F16' ? toHalf : toBfloat16)
  return {
    dtype,
    shape: raw.shape,
    data: new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength),
  }
}

/** A loop: `Uint16Array.from` takes five times as long. */
function toBits(values: Float32Array, convert: (value: number) => number): Uint16Array {
  const bits = new Uint16Array(values.length)
  for (let i = 0; i < values.length; i++) bits[i] = convert(values[i]!)
  return bits
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

/** IEEE 754 binary16 of a float32. */
function toHalf(value: number): number {
  float[0] = value
  const bits = word[0]!
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return 0x7e00 // NaN
  if (magnitude >= 0x47800000) return sign | 0x7c00 // 65536 and more
  if (magnitude >= 0x38800000) return sign | rounded(magnitude - 0x38000000, 13) // 2^-14 and more are normal
  const shift = 126 - (magnitude >>> 23) // the significand's last bit becomes 2^-24
  return shift > 24 ? sign : sign | rounded((magnitude & 0x7fffff) | 0x800000, shift)
}

/** Drops bits; a carry out of the significand goes into the exponent, as it should. */
function rounded(bits: number, shift: number): number {
  const kept = bits >>> shift
  const rest = bits & ((1 << shift) - 1)
  const half = 1 << (shift - 1)
  return kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0)
}
