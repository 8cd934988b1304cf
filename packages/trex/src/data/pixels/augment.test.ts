import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { expectImage, goldenImage, goldenMeta } from '../../../test/augmentGolden.js'
import { EACH_IMPLEMENTATION } from '../../../test/pixelImplementations.js'
import { TREX } from '../../recipes.js'
import { rngFor } from '../../rng.js'
import { cropGroups } from '../../settings.js'
import { sampleAugmentation, sampleCropBox } from './augment.js'

interface GoldenChain {
  box: [number, number, number, number]
  size: number
  flip: 0 | 1
  jit: [number[], number, number, number, number] | null
  gray: 0 | 1
  blur: number
  sol: 0 | 1
}

describe.each(EACH_IMPLEMENTATION)(
  '%s: an augmentation equals the golden chains to the bit',
  (_, { augment }) => {
    test.each(goldenMeta<[string, GoldenChain][]>('chains').map((c, i) => [i, ...c] as const))(
      'chain%i',
      (i, source, c) => {
        const [top, left, height, width] = c.box
        const jitter = c.jit && {
          order: c.jit[0],
          brightness: c.jit[1],
          contrast: c.jit[2],
          saturation: c.jit[3],
          hue: c.jit[4],
        }
        const drawn = {
          box: { top, left, height, width },
          flip: c.flip === 1,
          jitter,
          gray: c.gray === 1,
          blur: c.blur || null,
          solarize: c.sol === 1 ? 128 : null,
          filter: 'bicubic' as const,
        }
        expectImage(augment(goldenImage(`${source}.input`), drawn, c.size), `chain${i}.u8`)
      },
    )
  },
)

interface BoxStats {
  w: number
  h: number
  scale: [number, number]
  n: number
  fallback_box_wh: [number, number]
  fallback_fraction: number
  stats: Record<string, { mean: number; std: number }>
}

const boxStats = JSON.parse(
  readFileSync(new URL('../../../test/golden/h_crop_box_stats.json', import.meta.url), 'utf8'),
) as BoxStats[]

describe('sampleCropBox has the distribution of torchvision (5 standard errors)', () => {
  test.each(boxStats.map((s) => [`${s.w}x${s.h} at ${s.scale.join('-')}`, s] as const))('%s', (_, stats) => {
    const { w: width, h: height, scale, n } = stats
    const rng = rngFor(1, width, height, Math.round(scale[0] * 100))
    const boxes = Array.from({ length: n }, () =>
      sampleCropBox(rng, width, height, { scale, ratio: TREX.augment.ratio }),
    )
    const relative = (offset: number, room: number) => (room === 0 ? null : offset / room)
    const figures: Record<string, (number | null)[]> = {
      area: boxes.map((b) => (b.width * b.height) / (width * height)),
      log_ratio: boxes.map((b) => Math.log(b.width / b.height)),
      h: boxes.map((b) => b.height),
      w: boxes.map((b) => b.width),
      top: boxes.map((b) => b.top),
      left: boxes.map((b) => b.left),
      top_rel: boxes.map((b) => relative(b.top, height - b.height)),
      left_rel: boxes.map((b) => relative(b.left, width - b.width)),
    }
    for (const [name, values] of Object.entries(figures)) {
      const golden = stats.stats[name]
      if (!golden) continue
      const present = values.filter((v) => v !== null)
      const mean = present.reduce((sum, v) => sum + v, 0) / present.length
      // Both means are of samples, so the difference has twice the variance of one.
      const tolerance = 5 * Math.SQRT2 * (golden.std / Math.sqrt(present.length)) + 1e-9
      expect(Math.abs(mean - golden.mean), `${name}: ${mean} against ${golden.mean}`).toBeLessThanOrEqual(
        tolerance,
      )
    }
    const [fallbackW, fallbackH] = stats.fallback_box_wh
    const fallbacks = boxes.filter((b) => b.width === fallbackW && b.height === fallbackH).length / n
    if (stats.fallback_fraction > 0.01)
      expect(Math.abs(fallbacks - stats.fallback_fraction)).toBeLessThan(0.02)
  })
})

test('sampleAugmentation draws each change as often, and as strongly, as the settings say', () => {
  const n = 5000
  const drawn = Array.from({ length: n }, (_, i) =>
    sampleAugmentation(rngFor(7, 0, i, 0), 96, 96, cropGroups(TREX)[1]!),
  )
  const expectShare = (count: number, of: number, p: number) =>
    expect(Math.abs(count - of * p)).toBeLessThanOrEqual(5 * Math.sqrt(of * p * (1 - p)))
  expectShare(drawn.filter((d) => d.flip).length, n, 0.5)
  expectShare(drawn.filter((d) => d.gray).length, n, 0.2)
  expectShare(drawn.filter((d) => d.blur !== null).length, n, 0.5)
  expectShare(drawn.filter((d) => d.solarize !== null).length, n, 0)
  const jitters = drawn.flatMap((d) => d.jitter ?? [])
  expectShare(jitters.length, n, 0.8)
  const range = (values: number[]) => [Math.min(...values), Math.max(...values)] as const
  const checkRange = (values: number[], low: number, high: number) => {
    const [min, max] = range(values)
    const slack = (high - low) * 0.01
    expect(min).toBeGreaterThanOrEqual(low)
    expect(min).toBeLessThan(low + slack)
    expect(max).toBeLessThanOrEqual(high)
    expect(max).toBeGreaterThan(high - slack)
  }
  checkRange(
    jitters.map((j) => j.brightness),
    0.6,
    1.4,
  )
  checkRange(
    jitters.map((j) => j.contrast),
    0.6,
    1.4,
  )
  checkRange(
    jitters.map((j) => j.saturation),
    0.8,
    1.2,
  )
  checkRange(
    jitters.map((j) => j.hue),
    -0.1,
    0.1,
  )
  checkRange(
    drawn.flatMap((d) => d.blur ?? []),
    0.1,
    2,
  )
  expect(new Set(jitters.map((j) => Array.from(j.order).join(''))).size).toBe(24)
})
