import type { ChannelRanges } from './quantizeAddends.js'
import type { Range } from './quantizeLinear.js'

/** What of an activation is needed to choose its range, as batches come. */
export interface Observer<T> {
  /** @param dims [N, C, ...] */
  add(values: Float32Array, dims: readonly number[]): void
  range(): T
}

const BINS = 4096
const MIDDLE = BINS / 2

/** A histogram over [-limit, limit], whose limit doubles and whose bins are merged in pairs as larger values come. */
export function observeValues(): Observer<Range> {
  let counts = new Float64Array(BINS)
  let limit = 2 ** -10
  let negative = false
  const widen = () => {
    const wider = new Float64Array(BINS)
    for (const [i, count] of counts.entries()) wider[Math.floor((i - MIDDLE) / 2) + MIDDLE]! += count
    counts = wider
    limit *= 2
  }
  return {
    add(values) {
      let [least, largest] = [0, 0]
      for (const value of values) {
        least = Math.min(least, value)
        largest = Math.max(largest, value)
      }
      if (least < 0) negative = true
      while (Math.max(-least, largest) >= limit) widen()
      const perUnit = MIDDLE / limit
      for (const value of values) counts[Math.floor(value * perUnit) + MIDDLE]!++
    },
    range() {
      const width = limit / MIDDLE
      const [first, last] = [counts.findIndex(Boolean), counts.findLastIndex(Boolean)]
      const low = negative ? Math.min(0, (first - MIDDLE) * width) : 0
      return leastError(counts, width, { low, high: Math.max(0, (last + 1 - MIDDLE) * width) })
    },
  }
}

const SHARES = Array.from({ length: 40 }, (_, i) => 1 - i / 50)

/** The part of a range with the least squared error of clipping and of rounding: its upper end first, then its lower. */
function leastError(counts: Float64Array, width: number, { low, high }: Range): Range {
  const best = (ranges: readonly Range[]) => {
    const errors = ranges.map((range) => errorOf(counts, width, range))
    return ranges[errors.indexOf(Math.min(...errors))]!
  }
  const upper = best(SHARES.map((share) => ({ low, high: high * share })))
  return low === 0 ? upper : best(SHARES.map((share) => ({ low: low * share, high: upper.high })))
}

function errorOf(counts: Float64Array, width: number, { low, high }: Range): number {
  const rounding = ((high - low) / 255) ** 2 / 12
  let error = 0
  for (const [i, count] of counts.entries()) {
    if (count === 0) continue
    const value = (i - MIDDLE + 0.5) * width
    const outside = Math.max(low - value, value - high, 0)
    error += count * (outside > 0 ? outside ** 2 : rounding)
  }
  return error
}

/** Beyond what a hundred images show: a last map of a small image has four places, and clipping costs more than a step. */
const MARGIN = 1.5

/** The range of each channel, with a margin. */
export function observeChannels(): Observer<ChannelRanges> {
  let low = new Float32Array()
  let high = new Float32Array()
  return {
    add(values, [images, channels, ...sides]) {
      const size = sides.reduce((product, side) => product * side, 1)
      if (low.length === 0) [low, high] = [new Float32Array(channels!), new Float32Array(channels!)]
      for (let plane = 0; plane < images! * channels!; plane++) {
        const channel = plane % channels!
        for (let i = plane * size; i < (plane + 1) * size; i++) {
          low[channel] = Math.min(low[channel]!, values[i]!)
          high[channel] = Math.max(high[channel]!, values[i]!)
        }
      }
    },
    range: () => ({ low: low.map((value) => value * MARGIN), high: high.map((value) => value * MARGIN) }),
  }
}
