import { fromTypedArray, liveTensors, setNumThreads, type Tensor, tidy } from 'trex-torch'
import { beforeAll, describe, expect, test } from 'vitest'
import { openGolden } from '../../test/support/golden.js'
import { normalizeFeatures } from './featureSet.js'
import { cosineRate, type SgdEpoch, sgdFit } from './sgd.js'

beforeAll(() => setNumThreads(1)) // tiny matrices

interface Case {
  lr: number
  wd: number
  batch: number
  epochs: number
  norm: 'l2' | 'none' | 'standard'
  test_acc: number
}

const golden = openGolden('g_linear')
const [n, dim, classes] = [600, 64, 6]
const labels = Int32Array.from(golden.i64('Y'), Number)

/** (x - mean) / max(std, 1e-5), std unbiased and of the training features: a normalisation of the golden file only. */
function standardised(x: Float32Array, by: Float32Array): Float32Array {
  const rows = by.length / dim
  const column = (j: number) => Array.from({ length: rows }, (_, i) => by[i * dim + j]!)
  const moments = Array.from({ length: dim }, (_, j) => {
    const mean = column(j).reduce((a, b) => a + b, 0) / rows
    const std = Math.sqrt(column(j).reduce((sum, v) => sum + (v - mean) ** 2, 0) / (rows - 1))
    return { mean, std: Math.max(std, 1e-5) }
  })
  return x.map((value, i) => (value - moments[i % dim]!.mean) / moments[i % dim]!.std)
}

function features(key: string, norm: Case['norm']): Float32Array {
  const x = golden.f32(key)
  if (norm === 'standard') return standardised(x, golden.f32('X'))
  return normalizeFeatures({ features: x, dim, labels }, norm).features
}

/** Rows [n, dim + 1] that end with a one. */
function inputs(x: Float32Array): Tensor {
  const rows = x.length / dim
  const values = new Float32Array(rows * (dim + 1)).fill(1)
  for (let i = 0; i < rows; i++) values.set(x.subarray(i * dim, (i + 1) * dim), i * (dim + 1))
  return fromTypedArray(values, [rows, dim + 1])
}

/** theta [dim + 1, classes] of the golden weight [classes, dim] and bias. */
function theta(weight: Float32Array, bias: Float32Array): Float32Array {
  const values = new Float32Array((dim + 1) * classes)
  for (let c = 0; c < classes; c++) {
    for (let j = 0; j < dim; j++) values[j * classes + c] = weight[c * dim + j]!
    values[dim * classes + c] = bias[c]!
  }
  return values
}

function run(name: string) {
  const { lr, wd, batch, epochs, norm, test_acc } = golden.json<Case>(`sgd.${name}`)
  const orders = Uint32Array.from(golden.i32(`sgd.${name}.orders`))
  return tidy(() => {
    const parameters = fromTypedArray(theta(golden.f32(`sgd.${name}.W0`), golden.f32(`sgd.${name}.b0`)), [
      dim + 1,
      classes,
    ])
    const fit = sgdFit(inputs(features('X', norm)), labels, parameters, {
      ...{ lr, weightDecay: wd, batch, epochs, lateSchedule: true },
      order: (epoch) => orders.subarray(epoch * n, (epoch + 1) * n),
    })
    const rows: SgdEpoch[] = []
    let next = fit.next()
    for (; !next.done; next = fit.next()) rows.push(next.value)
    const predictions = inputs(features('XT', norm)).matmul(parameters).argmax(1).to('int32').toTypedArray()
    return {
      finite: next.value,
      losses: rows.flatMap(({ losses }) => losses),
      rates: rows.map((row) => row.lr),
      theta: parameters.toFloat32Array(),
      predictions: predictions as Int32Array,
      test_acc,
    }
  })
}

describe('the SGD trainer equals the golden one, step by step', () => {
  test.each([
    ['a', 1e-3],
    ['b', 1e-3],
    ['c', 1e-2],
  ])('case %s', (name, tolerance) => {
    const before = liveTensors()
    const { finite, losses, rates, theta: reached, predictions } = run(name)
    expect(liveTensors()).toBe(before)
    expect(finite).toBe(true)
    expect(rates).toEqual([...golden.f64(`sgd.${name}.lr`)].map((lr) => expect.closeTo(lr, 10)))
    const expectedLosses = golden.f64(`sgd.${name}.losses`)
    expect(losses).toHaveLength(expectedLosses.length)
    for (const [i, loss] of losses.entries())
      expect(Math.abs(loss / expectedLosses[i]! - 1)).toBeLessThan(tolerance)
    const expected = theta(golden.f32(`sgd.${name}.W`), golden.f32(`sgd.${name}.b`))
    const scale = Math.max(...expected.map(Math.abs))
    for (const [i, value] of reached.entries())
      expect(Math.abs(value - expected[i]!) / scale).toBeLessThan(tolerance)
    const wanted = Int32Array.from(golden.i32(`sgd.${name}.pred`))
    expect(predictions.filter((p, i) => p === wanted[i]).length / wanted.length).toBeGreaterThan(0.99)
  })

  test('and gives up where that diverges', () => {
    const { finite, losses, predictions } = run('diverge')
    expect(finite).toBe(false)
    expect(losses).toHaveLength(2)
    expect(losses[0]).toBeCloseTo(golden.f64('sgd.diverge.losses')[0]!, 5)
    expect(losses[1]).not.toBeLessThan(Number.POSITIVE_INFINITY)
    expect([...predictions]).toEqual([...golden.i32('sgd.diverge.pred')])
  })
})

test('the schedule starts at the full rate and nears 0', () => {
  expect(cosineRate(2, 0, 10)).toBe(2)
  expect(cosineRate(2, 5, 10)).toBeCloseTo(1, 12)
  expect(cosineRate(2, 9, 10)).toBeCloseTo(1 + Math.cos(0.9 * Math.PI), 12)
})
