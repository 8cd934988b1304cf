import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { TREX } from '../../recipes.js'
import { rngFor } from '../../rng.js'
import { sampleCropBox } from './augment.js'

interface BoxStats {
  w: number
  h: number
  scale: [number, number]
  n: number
  stats: Record<string, { mean: number; std: number; q: number[] }>
}

/** What the golden quantiles `q` are of. */
const LEVELS = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]

const golden = JSON.parse(
  readFileSync(new URL('../../../test/golden/h_crop_box_stats.json', import.meta.url), 'utf8'),
) as BoxStats[]

/** A draw's figures by their golden names; a relative offset is null where there is no room. */
const figures: Record<
  string,
  (box: ReturnType<typeof sampleCropBox>, w: number, h: number) => number | null
> = {
  area: (b, w, h) => (b.width * b.height) / (w * h),
  log_ratio: (b) => Math.log(b.width / b.height),
  h: (b) => b.height,
  w: (b) => b.width,
  top: (b) => b.top,
  left: (b) => b.left,
  top_rel: (b, _, h) => (b.height === h ? null : b.top / (h - b.height)),
  left_rel: (b, w) => (b.width === w ? null : b.left / (w - b.width)),
}

describe('20,000 crop boxes have the golden quantiles and spread (5 standard errors)', () => {
  test.each(golden.map((s) => [`${s.w}x${s.h} at ${s.scale.join('-')}`, s] as const))('%s', (_, s) => {
    const rng = rngFor(2, s.w, s.h, Math.round(s.scale[0] * 100))
    const options = { scale: s.scale, ratio: TREX.augment.ratio }
    const boxes = Array.from({ length: s.n }, () => sampleCropBox(rng, s.w, s.h, options))
    expect(Object.keys(s.stats).filter((name) => !(name in figures))).toEqual([])
    for (const [name, { std, q }] of Object.entries(s.stats)) {
      const values = boxes.flatMap((box) => figures[name]!(box, s.w, s.h) ?? [])
      const share = (test: (value: number) => boolean) => values.filter(test).length / values.length
      for (const [i, level] of LEVELS.entries()) {
        // Both are samples; whole numbers repeat, so that a quantile stands for a range of levels.
        const tolerance = 5 * Math.sqrt((2 * level * (1 - level)) / values.length)
        const edge = 1e-9
        expect(
          share((v) => v < q[i]! - edge),
          `${name} below its ${level} quantile`,
        ).toBeLessThan(level + tolerance)
        expect(
          share((v) => v <= q[i]! + edge),
          `${name} up to its ${level} quantile`,
        ).toBeGreaterThan(level - tolerance)
      }
      const mean = values.reduce((sum, v) => sum + v, 0) / values.length
      const spread = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length)
      expect(Math.abs(spread - std), `${name}: spread ${spread} against ${std}`).toBeLessThan(
        0.05 * std + 1e-9,
      )
    }
  })
})
