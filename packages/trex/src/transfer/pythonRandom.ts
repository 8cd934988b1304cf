/**
 * Python's `random.Random(seed)` for seeds below 2^32, as far as `shuffle` needs it: MT19937 of Matsumoto and Nishimura
 * (1998), seeded by array, whole numbers by rejection. It serves comparisons with published numbers only.
 */
export function pythonShuffle(seed: number): <T>(items: T[]) => T[] {
  const bits = mersenneTwister(seed)
  const below = (n: number) => {
    const shift = Math.clz32(n)
    let value = bits() >>> shift
    while (value >= n) value = bits() >>> shift
    return value
  }
  return (items) => {
    for (let i = items.length - 1; i > 0; i--) {
      const j = below(i + 1)
      const moved = items[i]!
      items[i] = items[j]!
      items[j] = moved
    }
    return items
  }
}

const [N, M] = [624, 397]

/** Draws of 32 bits from the generator seeded by the array [seed]. */
function mersenneTwister(seed: number): () => number {
  const state = new Uint32Array(N)
  state[0] = 19650218
  const mixed = (i: number, factor: number) =>
    Math.imul((state[i - 1]! ^ (state[i - 1]! >>> 30)) >>> 0, factor) >>> 0
  for (let i = 1; i < N; i++) state[i] = mixed(i, 1812433253) + i
  let i = 1
  const next = () => {
    if (++i < N) return
    state[0] = state[N - 1]!
    i = 1
  }
  for (let k = 0; k < N; k++, next()) state[i] = ((state[i]! ^ mixed(i, 1664525)) >>> 0) + seed
  for (let k = 0; k < N - 1; k++, next()) state[i] = ((state[i]! ^ mixed(i, 1566083941)) >>> 0) - i
  state[0] = 0x80000000
  let used = N
  return () => {
    if (used === N) {
      for (let k = 0; k < N; k++) {
        const y = (state[k]! & 0x80000000) | (state[(k + 1) % N]! & 0x7fffffff)
        state[k] = state[(k + M) % N]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0)
      }
      used = 0
    }
    let y = state[used++]!
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }
}
