const word = new Uint32Array(1)
const real = new Float32Array(word.buffer)

/** IEEE half precision, rounded to nearest, ties to even; what is too large becomes infinite. */
export function toFloat16(values: Float32Array): Uint16Array {
  const halves = new Uint16Array(values.length)
  for (let i = 0; i < values.length; i++) {
    real[0] = values[i]!
    halves[i] = halfBits(word[0]!)
  }
  return halves
}

function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00 // NaN
  if (magnitude >= 0x47800000) return sign | 0x7c00 // 65536 and more
  if (magnitude >= 0x38800000) return sign | rounded(magnitude - 0x38000000, 13) // normal: 2^-14 and more
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

/** The exact value of each half. */
export function fromFloat16(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (half) => {
    const exponent = (half >>> 10) & 31
    const fraction = half & 0x3ff
    const sign = half & 0x8000 ? -1 : 1
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
  })
}

/** The exact value of each bfloat16, the upper half of a float32. */
export function fromBfloat16(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer)
}
