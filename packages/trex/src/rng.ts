/**
 * Counter-based random numbers: a stream is named by its keys, so a draw depends on nothing else.
 *
 * Generator: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
 * (SC 2011).
 */

/** A stream of random numbers that depends on its keys alone. */
export interface Rng {
  /** The next 32 random bits, as an integer in [0, 2^32). */
  bits(): number
  /** A number in [0, 1) with 53 random bits. */
  uniform(): number
  /** A number in [a, b). */
  uniformIn(a: number, b: number): number
  /** An unbiased integer in [0, n), 1 <= n <= 2^32; throws RangeError otherwise. */
  int(n: number): number
  /** A draw from N(0, 1). */
  normal(): number
  /** The numbers 0..n-1 in random order. */
  permutation(n: number): Uint32Array
  /** Shuffles an array in place (Fisher-Yates) and returns it. */
  shuffle<T extends { readonly length: number; [index: number]: unknown }>(array: T): T
}

const TWO32 = 2 ** 32

/**
 * The stream of 1 to 4 keys: `rngFor(seed, epoch, sample, crop)`; streams of different keys, or of a different
 * number of keys, are disjoint. `keys[0]` is an integer in [0, 2^53), the others in [0, 2^32); throws RangeError.
 */
export function rngFor(...keys: number[]): Rng {
  checkKeys(keys)
  const [seed, ...rest] = keys as [number, ...number[]]
  const key: [number, number] = [seed >>> 0, Math.floor(seed / TWO32) + keys.length * 2 ** 21]
  const counter = new Uint32Array([0, rest[0] ?? 0, rest[1] ?? 0, rest[2] ?? 0])
  const block = new Uint32Array(4)
  let used = 4

  function bits(): number {
    if (used === 4) {
      philox4x32(counter, key, block)
      counter[0]!++ // 2^32 blocks: 2^34 draws before a stream repeats
      used = 0
    }
    return block[used++]!
  }
  function uniform(): number {
    return ((bits() >>> 5) * 2 ** 26 + (bits() >>> 6)) / 2 ** 53
  }
  function int(n: number): number {
    if (!(Number.isInteger(n) && n >= 1 && n <= TWO32)) throw new RangeError(`int(n): n is ${n}`)
    const limit = TWO32 - (TWO32 % n)
    let x = bits()
    while (x >= limit) x = bits()
    return x % n
  }
  function shuffle<T extends { readonly length: number; [index: number]: unknown }>(array: T): T {
    for (let i = array.length - 1; i > 0; i--) {
      const j = int(i + 1)
      const moved = array[i]
      array[i] = array[j]
      array[j] = moved
    }
    return array
  }
  return {
    bits,
    uniform,
    uniformIn: (a, b) => a + (b - a) * uniform(),
    int,
    // Box-Muller; 1 - u lies in (0, 1], so the logarithm is finite.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    permutation: (n) => shuffle(Uint32Array.from({ length: n }, (_, i) => i)),
    shuffle,
  }
}

function checkKeys(keys: number[]): void {
  if (keys.length < 1 || keys.length > 4) throw new RangeError(`rngFor takes 1 to 4 keys, got ${keys.length}`)
  keys.forEach((key, i) => {
    const end = i === 0 ? 2 ** 53 : TWO32
    if (!(Number.isInteger(key) && key >= 0 && key < end)) {
      throw new RangeError(`rngFor: key ${i} is ${key}, not an integer in [0, 2^${Math.log2(end)})`)
    }
  })
}

/** One Philox4x32-10 block: 4 random words of a 4-word counter and a 2-word key, written to `out`. */
export function philox4x32(
  counter: ArrayLike<number>,
  key: readonly [number, number],
  out: Uint32Array,
): Uint32Array {
  let c0 = counter[0]! | 0
  let c1 = counter[1]! | 0
  let c2 = counter[2]! | 0
  let c3 = counter[3]! | 0
  let k0 = key[0] | 0
  let k1 = key[1] | 0
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(0xd2511f53, c0)
    const high1 = mulHigh(0xcd9e8d57, c2)
    const low0 = Math.imul(0xd2511f53, c0)
    const low1 = Math.imul(0xcd9e8d57, c2)
    c0 = high1 ^ c1 ^ k0
    c1 = low1
    c2 = high0 ^ c3 ^ k1
    c3 = low0
    k0 = (k0 + 0x9e3779b9) | 0
    k1 = (k1 + 0xbb67ae85) | 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
  return out
}

/** The upper 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16) // < 2^32
  const carry = (middle & 0xffff) + aLow * bHigh // < 2^32
  return (aHigh * bHigh + (middle >>> 16) + (carry >>> 16)) | 0
}
