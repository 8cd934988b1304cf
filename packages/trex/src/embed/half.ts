// float16 as its 16 bits, which JavaScript has no numbers of everywhere yet.

/** float32 values of float16 ones: their bits as a Uint16Array, or a Float16Array where the platform has it. */
export function floatsOfHalves(halves: unknown): Float32Array {
  if (!(halves instanceof Uint16Array)) return Float32Array.from(halves as Iterable<number>)
  return Float32Array.from(halves, (bits) => {
    const exponent = (bits >> 10) & 31
    const fraction = bits & 1023
    const sign = bits >> 15 ? -1 : 1
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
    return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24)
  })
}

const word = new Float32Array(1)
const bitsOfWord = new Uint32Array(word.buffer)

/** The bits of the nearest float16 values, halves to the even one; beyond 65,504 they are infinite. */
export function halvesOf(floats: Float32Array): Uint16Array {
  return Uint16Array.from(floats, (value) => {
    word[0] = value
    const bits = bitsOfWord[0]!
    const sign = (bits >>> 16) & 0x8000
    const size = bits & 0x7fffffff
    if (size > 0x7f800000) return sign | 0x7e00 // NaN
    if (size >= 0x477ff000) return sign | 0x7c00
    if (size < 0x38800000) {
      // subnormal: steps of 2^-24
      const steps = Math.abs(value) * 2 ** 24
      const low = Math.floor(steps)
      const rest = steps - low
      return sign | (rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low)
    }
    const rounded = size + 0xfff + ((size >>> 13) & 1)
    return sign | ((rounded - 0x38000000) >>> 13)
  })
}
