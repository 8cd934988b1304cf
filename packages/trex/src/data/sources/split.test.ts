import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openGolden } from '../../../test/support/golden.js'
import { splitRows } from './split.js'

const golden = openGolden('g_linear')

function countsOf(labels: Int32Array, rows: Uint32Array): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const row of rows) counts[labels[row]!] = (counts[labels[row]!] ?? 0) + 1
  return counts
}

const split = (labels: Int32Array, seed: number) => splitRows(labels, { fraction: 0.2, seed, stream: 1 })

describe('splitRows', () => {
  test("draws as many rows of each class as the original, but for its defect's", () => {
    for (const name of ['plain', 'rare']) {
      const labels = Int32Array.from(golden.i64(`split.${name}.Y`), Number)
      const { val_per_class: counts } = golden.json<{ val_per_class: Record<string, number> }>(
        `split.${name}`,
      )
      // After a class too small for the ratio, the original raises it for all later ones.
      const expected = name === 'rare' ? { ...counts, 2: 2, 4: 2, 5: 2 } : counts
      expect(countsOf(labels, split(labels, 22).val)).toEqual(expected)
    }
  })

  test('parts are disjoint, complete and ascending, and no class loses all its rows', () => {
    const anyLabels = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(anyLabels, fc.nat(1000), (list, seed) => {
        const labels = Int32Array.from(list)
        const { train, val } = split(labels, seed)
        expect([...train]).toEqual([...train].sort((a, b) => a - b))
        expect([...train, ...val].sort((a, b) => a - b)).toEqual([...labels.keys()])
        const [all, kept] = [countsOf(labels, Uint32Array.from(labels.keys())), countsOf(labels, train)]
        const held = countsOf(labels, val)
        for (const [label, n] of Object.entries(all)) {
          expect(kept[label]).toBeGreaterThan(0)
          expect(held[label] ?? 0).toBe(n === 1 ? 0 : Math.max(1, Math.floor(0.2 * n)))
        }
      }),
    )
  })

  test('depends on the seed, and class by class', () => {
    const labels = Int32Array.from({ length: 200 }, (_, i) => i % 4)
    const { val } = split(labels, 1)
    expect(split(labels, 1).val).toEqual(val)
    expect(split(labels, 2).val).not.toEqual(val)
    const other = labels.map((label, row) => (label === 3 && row > 50 ? 9 : label))
    const unchanged = (rows: Uint32Array) => rows.filter((row) => labels[row]! < 3)
    expect(unchanged(split(other, 1).val)).toEqual(unchanged(val))
  })

  test('holds nothing out at 0, and refuses a fraction that leaves nothing to train on', () => {
    const of = (fraction: number) => splitRows([0, 0], { fraction, seed: 1, stream: 1 })
    expect(of(0)).toEqual({ train: Uint32Array.of(0, 1), val: new Uint32Array() })
    for (const fraction of [-0.1, 1, Number.NaN]) expect(() => of(fraction)).toThrow(RangeError)
  })
})
