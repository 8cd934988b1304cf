import { describe, expect, test } from 'vitest'
import { det, detImages, fnv1a32, hash32, labels, unit } from './det.js'
import { fillValue } from './fill.js'
import { fingerprint, relL2 } from './fingerprint.js'
import { openGolden } from './golden.js'

const shapes = openGolden('f_schedule_groups').json<Record<string, number[]>>('groups.ocm3.state_dict')

describe('deterministic numbers', () => {
  const golden = openGolden('00_det')
  const name = 'r18.conv1.weight'

  test('FNV-1a of names', () => {
    for (const [text, hash] of Object.entries(golden.json<Record<string, number>>('fnv1a32'))) {
      expect(fnv1a32(text)).toBe(hash)
    }
  })

  test('hash, unit, scaled tensor and labels are exact', () => {
    const hashes = BigInt64Array.from({ length: 8 }, (_, i) => BigInt(hash32(fnv1a32(name), i)))
    expect(hashes).toEqual(golden.i64('hash.first8'))
    expect(unit(name, 8)).toEqual(golden.f64('unit.first8'))
    expect(det(name, [16], 1)).toEqual(golden.f32('fnv_names.first16'))
    expect(det(name, [2, 4], Math.sqrt(6 / 147), 0.25)).toEqual(golden.f32('scaled.first8'))
    expect(labels('e.labels.step0', 16, 10)).toEqual(golden.i64('labels.first16'))
  })

  test('images and labels are those of the golden runs', () => {
    expect(detImages('a.x', 4, 3, 64).subarray(0, 16)).toEqual(openGolden('a_resnet18').f32('x.first16'))
    const run = openGolden('e_ocm1')
    for (const [i, crop, size] of [
      [0, 'global0', 64],
      [1, 'local0', 32],
      [2, 'local1', 32],
    ] as const) {
      const images = detImages(`e.step0.${crop}`, 4, 3, size)
      expect(images.subarray(0, 16)).toEqual(run.f32(`input.step0.crop${i}.first16`))
    }
    const steps = [0, 1, 2, 3, 4].flatMap((step) => [...labels(`e.labels.step${step}`, 4, 10)])
    expect(steps).toEqual([...run.i64('input.labels')])
  })
})

describe('filled weights have the fingerprints of the golden models', () => {
  test.each([
    ['a_resnet18', '', 'r18.', 'random'],
    ['e_ocm3', 'model.', 'e.model.', 'default'],
  ] as const)('%s', (file, strip, prefix, buffers) => {
    let compared = 0
    for (const [name, { stats, first8 }] of openGolden(file).fingerprints('init')) {
      if (!name.startsWith(strip)) continue
      const shape = shapes[strip === '' ? `model.encoder.${name}` : name]!
      const actual = fingerprint(fillValue(prefix, name.slice(strip.length), shape, buffers))
      expect(actual.first8).toEqual(first8)
      for (const k of [0, 1, 2] as const)
        expect(Math.abs(actual.stats[k] - stats[k])).toBeLessThan(1e-10 * stats[1] + 1e-12)
      compared++
    }
    expect(compared).toBeGreaterThan(99)
  })
})

test('relative L2 distance', () => {
  expect(relL2([3, 4.5], [3, 4])).toBeCloseTo(0.1, 15)
  expect(relL2([3, 4], [0, 0])).toBe(5)
  expect(() => relL2([1], [1, 2])).toThrow('1 values against 2')
})
