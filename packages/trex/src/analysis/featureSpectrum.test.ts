import fc from 'fast-check'
import { fromTypedArray, liveTensors, type Tensor, tidy } from 'trex-torch'
import { describe, expect, test } from 'vitest'
import { expectClose } from '../../test/support/compare.js'
import { openGolden } from '../../test/support/golden.js'
import { codingLength } from './codingLength.js'
import { featureSpectrum } from './featureSpectrum.js'

const golden = openGolden('i_coding')
const [n, dim] = golden.shape('features') as [number, number]

const spectrum = (rows: readonly (readonly number[])[], options?: { center: boolean }) =>
  tidy(() => featureSpectrum(matrix(rows), options))
const matrix = (rows: readonly (readonly number[])[]): Tensor =>
  fromTypedArray(Float64Array.from(rows.flat()), [rows.length, rows[0]?.length ?? 0])

describe('golden features', () => {
  const all = (options?: { center: boolean }) =>
    tidy(() => featureSpectrum(fromTypedArray(golden.f32('features'), [n, dim]), options))

  test.each([
    [false, 'normalised'],
    [true, 'normalised_centred'],
  ])('have the singular values of an SVD (center: %s)', (center, key) => {
    const expected = golden.f64(`singular_values.${key}`).map((value) => value / Math.sqrt(n))
    expectClose('coding', key, all({ center }).singularValues, expected, 1e-9)
  })

  test('have their coding length at every distortion', () => {
    const { singularValues, codingLength: length } = all()
    const actual = golden.json<number[]>('eps').map((eps) => codingLength(singularValues, dim, eps * eps))
    expectClose('coding', 'R', actual, golden.f64('R'), 1e-9)
    expectClose('coding', 'R at sqrt 0.5', [length], [golden.f64('R')[3]!], 1e-9)
  })

  test('have the same spectrum through the other Gram matrix', () => {
    // Fewer rows than dimensions: 20 of them, against the same rows with dimensions of zeros taken away or added.
    const rows = tidy(() =>
      fromTypedArray(golden.f32('features').subarray(0, 20 * dim), [20, dim])
        .to('float64')
        .toTypedArray(),
    )
    const of = (columns: number) =>
      spectrum(
        Array.from({ length: 20 }, (_, i) =>
          Array.from({ length: columns }, (_, j) => (j < 16 ? Number(rows[i * dim + j]) : 0)),
        ),
      )
    const [tall, wide] = [of(16), of(64)]
    expect([tall.singularValues.length, wide.singularValues.length]).toEqual([16, 20])
    expectClose('coding', 'wide', wide.singularValues.subarray(0, 16), tall.singularValues, 1e-9)
    expectClose('coding', 'wide rank', [wide.effectiveRank], [tall.effectiveRank], 1e-9)
  })
})

describe('closed forms', () => {
  test('orthogonal directions in equal number: all singular values are equal, the effective rank is their number', () => {
    const rows = [0, 1, 2].flatMap((axis) =>
      [2, -7].map((length) => [0, 1, 2, 3].map((i) => (i === axis ? length : 0))),
    )
    const { singularValues, effectiveRank, codingLength: length } = spectrum(rows)
    expectClose('coding', 'axes', singularValues, [...new Array(3).fill(Math.sqrt(1 / 3)), 0], 1e-14)
    expect(effectiveRank).toBeCloseTo(3, 12)
    expect(length).toBeCloseTo(1.5 * Math.log(1 + (4 / 0.5) * (1 / 3)), 12)
  })

  test('one direction: rank 1, and nothing once centred', () => {
    const rows = [
      [1, 2],
      [2, 4],
      [10, 20],
    ]
    expect(spectrum(rows).effectiveRank).toBeCloseTo(1, 7)
    expect(spectrum(rows).singularValues[0]).toBeCloseTo(1, 14)
    expect(spectrum(rows, { center: true })).toMatchObject({ effectiveRank: 0, codingLength: 0 })
  })

  test('unequal shares: the entropy of the singular values, not of their squares', () => {
    const rows = [...new Array(9).fill([1, 0]), [0, 1]] // singular values 3 and 1 over sqrt 10
    expect(spectrum(rows).effectiveRank).toBeCloseTo(
      Math.exp(-0.75 * Math.log(0.75) - 0.25 * Math.log(0.25)),
      12,
    )
  })

  test('more rows than are converted at a time', () => {
    const rows = Array.from({ length: 9000 }, (_, i) => (i % 3 === 0 ? [5, 0] : [0, 1]))
    const { singularValues } = spectrum(rows)
    expectClose('coding', 'blocks', singularValues, [Math.sqrt(2 / 3), Math.sqrt(1 / 3)], 1e-12)
    const centred = spectrum(rows, { center: true }).singularValues // along (1, -1), variance 2 * 1/3 * 2/3
    expectClose('coding', 'blocks centred', centred, [Math.sqrt(4 / 9), 0], 1e-9)
  })
})

test('does not see rotations, lengths, or the order of images; squares add up to the share of rows that are not zero', () => {
  const value = fc.integer({ min: -9, max: 9 })
  const rows = fc.array(fc.tuple(value, value, value), { minLength: 1, maxLength: 8 })
  const angle = fc.double({ min: 0, max: 6, noNaN: true })
  fc.assert(
    fc.property(rows, angle, angle, fc.boolean(), (rows, a, b, center) => {
      const plain = spectrum(rows, { center })
      const turned = rows.map(([x, y, z], i) => {
        const [u, v] = [Math.cos(a) * x - Math.sin(a) * y, Math.sin(a) * x + Math.cos(a) * y]
        return [u, Math.cos(b) * v - Math.sin(b) * z, Math.sin(b) * v + Math.cos(b) * z].map(
          (c) => c * (i + 1),
        )
      })
      const other = spectrum(turned.reverse(), { center })
      for (const [i, s] of plain.singularValues.entries()) expect(other.singularValues[i]).toBeCloseTo(s, 6)
      expect(other.codingLength).toBeCloseTo(plain.codingLength, 9)
      const squares = plain.singularValues.reduce((sum, s) => sum + s * s, 0)
      const share = rows.filter((row) => row.some((c) => c !== 0)).length / rows.length
      if (center) expect(squares).toBeLessThanOrEqual(share + 1e-12)
      else expect(squares).toBeCloseTo(share, 12)
      expect(plain.effectiveRank).toBeLessThanOrEqual(plain.singularValues.length + 1e-9)
    }),
  )
})

test('features of zeros have rank 0; none, or such that are not finite, are errors; nothing is left behind', () => {
  const count = liveTensors()
  expect(
    spectrum([
      [0, 0],
      [0, 0],
    ]),
  ).toMatchObject({ effectiveRank: 0, codingLength: 0 })
  expect(() => spectrum([])).toThrow('features of shape [0,0] have no spectrum')
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(() =>
      spectrum([
        [1, bad],
        [2, 3],
        [4, 5],
      ]),
    ).toThrow('the features hold values that are not finite')
  expect(liveTensors()).toBe(count)
})
