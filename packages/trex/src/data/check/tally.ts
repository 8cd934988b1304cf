import type { Contents, Spread } from './datasetReport.js'
import type { Finding } from './examine.js'

const SMALL_SIDE = 32

/** Adds up what images are like, at a few bytes an image. */
export interface Tally {
  add(finding: Finding): void
  contents(): Contents
}

/** A tally for at most `capacity` images. */
export function createTally(capacity: number): Tally {
  const widths = new Uint32Array(capacity)
  const heights = new Uint32Array(capacity)
  const formats: Record<string, number> = {}
  const colors: Record<string, number> = {}
  let images = 0
  let bytes = 0
  let smallerThan32 = 0
  return {
    add({ format, color, width, height, bytes: size }) {
      widths[images] = width
      heights[images] = height
      images++
      bytes += size
      formats[format] = (formats[format] ?? 0) + 1
      colors[color] = (colors[color] ?? 0) + 1
      if (Math.min(width, height) < SMALL_SIDE) smallerThan32++
    },
    contents: () => ({
      images,
      bytes,
      formats: mostFirst(formats),
      colors: mostFirst(colors),
      width: spread(widths.slice(0, images)),
      height: spread(heights.slice(0, images)),
      smallerThan32,
    }),
  }
}

/** The least, the middle (the lower of two) and the greatest of some numbers, which it sorts. */
function spread(values: Uint32Array): Spread | null {
  if (values.length === 0) return null
  values.sort()
  return { min: values[0]!, median: values[(values.length - 1) >> 1]!, max: values.at(-1)! }
}

function mostFirst(counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)))
}
