import { allocate } from './memory'

/** A weight w is kept as two 16-bit halves, w = high * 2^LOW_BITS + low, so that dot products of 16 bits apply. */
export const LOW_BITS: i32 = 11

/** The taps of a run of output positions of one axis. */
@unmanaged
export class Taps {
  /** First input position of each output position, i32. */
  starts: usize
  /** `stride` bytes an output position: for each two taps the high halves of both, then the low halves. */
  weights: usize
  stride: usize
  /** Taps an output position, counted in twos; all positions have as many, filled up with zero weights. */
  pairs: i32
}

@inline
function kernel(bicubic: bool, distance: f64): f64 {
  const x = abs(distance)
  if (!bicubic) return x < 1 ? 1 - x : 0
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * -0.5
  return 0
}

/**
 * The antialiasing taps of the output positions first..first + count - 1 of an axis that is resized from `inSize` to
 * `outSize`, with 22 fractional bits.
 */
export function computeTaps(inSize: i32, outSize: f64, first: f64, count: i32, bicubic: bool): Taps {
  const scale = <f64>inSize / outSize
  const widening = max(scale, 1.0)
  const support = (bicubic ? 2.0 : 1.0) * widening
  const room = <i32>ceil(support) * 2 + 1
  const taps = changetype<Taps>(allocate(offsetof<Taps>()))
  const stride = <usize>((room + 1) >> 1) << 3
  const starts = allocate(<u64>count << 2)
  const weights = allocate(<u64>count * stride)
  const exact = allocate(<u64>room << 3)
  memory.fill(weights, 0, <usize>count * stride)
  let most = 0
  for (let i = 0; i < count; i++) {
    const center = (first + <f64>i + 0.5) * scale
    const start = max(<i32>(center - support + 0.5), 0)
    const size = min(<i32>(center + support + 0.5), inSize) - start
    let sum: f64 = 0
    for (let k = 0; k < size; k++) {
      const weight = kernel(bicubic, (<f64>(k + start) - center + 0.5) * (1 / widening))
      store<f64>(exact + (<usize>k << 3), weight)
      sum += weight
    }
    const divisor = sum == 0 ? 1.0 : sum
    const to = weights + <usize>i * stride
    for (let k = 0; k < size; k++) {
      const weight = (load<f64>(exact + (<usize>k << 3)) / divisor) * 4194304.0
      storeWeight(to, k, <i32>(weight < 0 ? weight - 0.5 : weight + 0.5))
    }
    store<i32>(starts + (<usize>i << 2), start)
    most = max(most, size)
  }
  taps.starts = starts
  taps.weights = weights
  taps.stride = stride
  taps.pairs = (most + 1) >> 1
  return taps
}

@inline
function storeWeight(to: usize, tap: i32, weight: i32): void {
  const at = to + ((<usize>tap >> 1) << 3) + ((<usize>tap & 1) << 1)
  store<i16>(at, <i16>(weight >> LOW_BITS))
  store<i16>(at, <i16>(weight & ((1 << LOW_BITS) - 1)), 4)
}
