import { liveTensors, setNumThreads } from 'trex-torch'
import { beforeAll, describe, expect, test } from 'vitest'
import { openGolden } from '../../test/support/golden.js'
import { type FeatureNormalization, type FeatureSet, normalizeFeatures } from './featureSet.js'
import { type LinearClassifier, predict } from './linearClassifier.js'
import { fitLogisticRegression, logisticProblem } from './logisticRegression.js'
import { accuracy } from './scores.js'

beforeAll(() => setNumThreads(1)) // tiny matrices

interface Case {
  norm: FeatureNormalization
  C: number
  objective: number
  objective_tight: number
  acc_test_tight: number
  n_iter: number
}

const DIM = 64
const CLASSES = 6
const golden = openGolden('g_linear')
const cases = golden.json<Case[]>('lbfgs')
const labelsOf = (key: string) => Int32Array.from(golden.i64(key), Number)
const set = (x: string, y: string, norm: FeatureNormalization = 'none'): FeatureSet =>
  normalizeFeatures({ features: golden.f32(x), dim: DIM, labels: labelsOf(y) }, norm)

function reference(norm: string, C: number): LinearClassifier {
  const key = `lbfgs.${norm}.C${golden.json<number[]>('C').indexOf(C)}.tight`
  return { weight: golden.f64(`${key}.coef`), bias: golden.f64(`${key}.intercept`) }
}

function distance(a: Float64Array, b: Float64Array): number {
  const norm = (values: Float64Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
  return norm(a.map((value, i) => value - b[i]!)) / norm(b)
}

function agreement(a: Int32Array, b: Int32Array): number {
  return a.filter((value, i) => value === b[i]).length / a.length
}

describe.each(['none', 'l2'] as const)('logistic regression on golden features, normalisation %s', (norm) => {
  const [train, test_] = [set('X', 'Y', norm), set('XT', 'YT', norm)]
  const chosen = cases.filter((one) => one.norm === norm)

  test.each(chosen)(
    'reaches the true minimum at C = $C',
    ({ C, objective_tight, objective, acc_test_tight }) => {
      const fit = fitLogisticRegression(train, CLASSES, { C })
      const tight = reference(norm, C)
      expect(fit.converged).toBe(true)
      expect(Math.abs(fit.objective / C / objective_tight - 1)).toBeLessThan(1e-6) // theirs is over C
      expect(fit.objective / C).toBeLessThanOrEqual(objective * (1 + 1e-9)) // the original stops above it
      if (C <= 10) expect(distance(fit.weight, tight.weight)).toBeLessThan(1e-3) // suggested: 1e-2
      const predictions = predict(fit, test_.features)
      expect(agreement(predictions, predict(tight, test_.features))).toBeGreaterThanOrEqual(0.99)
      expect(Math.abs(accuracy(predictions, test_.labels).top1 - acc_test_tight)).toBeLessThanOrEqual(1)
    },
  )

  test('in float32, warm-started along C, keeps the objective', () => {
    using problem = logisticProblem(train, CLASSES, { dtype: 'float32' })
    let start: LinearClassifier | undefined
    for (const { C, objective_tight } of chosen) {
      const fit = problem.fit({ C, start, tolerance: 1e-6 })
      expect(fit.converged).toBe(true)
      expect(Math.abs(fit.objective / C / objective_tight - 1)).toBeLessThan(C < 1e3 ? 2e-6 : 2e-5)
      start = fit
    }
  })
})

describe('logistic regression', () => {
  const train = set('X', 'Y')

  test("with the original's rule goes the way of SciPy's L-BFGS-B, step by step", () => {
    // At larger C rounding parts the two after some 100 steps.
    for (const { norm, C, objective, n_iter } of cases.filter((one) => one.C <= 0.1)) {
      const fit = fitLogisticRegression(set('X', 'Y', norm), CLASSES, { C, stopping: 'original' })
      expect(fit.stop).toBe('decrease')
      expect(fit.iterations).toBe(n_iter)
      expect(Math.abs(fit.objective / C / objective - 1)).toBeLessThan(1e-9)
    }
  })

  test('of two classes equals one logistic unit at twice the C', () => {
    const rows = [...train.labels.keys()].filter((row) => train.labels[row]! < 2)
    const labels = Int32Array.from(rows, (row) => train.labels[row]!)
    const features = Float32Array.from(
      rows.flatMap((row) => [...train.features.subarray(row * DIM, (row + 1) * DIM)]),
    )
    const { weight, bias } = fitLogisticRegression({ features, dim: DIM, labels }, 2, { C: 0.5 }) // golden: C = 1
    const unit = weight.slice(DIM).map((value, i) => value - weight[i]!)
    expect(distance(unit, golden.f64('binary.coef'))).toBeLessThan(1e-3) // theirs stopped before the minimum
    expect(
      distance(
        bias.slice(1).map((b) => b - bias[0]!),
        golden.f64('binary.intercept'),
      ),
    ).toBeLessThan(1e-3)
  })

  test('with more features than rows agrees with its own optimality condition', () => {
    const [n, C] = [40, 10]
    const wide = {
      ...train,
      features: train.features.subarray(0, n * DIM),
      labels: train.labels.subarray(0, n),
    }
    const { weight, bias, objective } = fitLogisticRegression(wide, CLASSES, { C, tolerance: 1e-12 })
    const gradient = weight.slice()
    let loss = 0
    for (let i = 0; i < n; i++) {
      const x = wide.features.subarray(i * DIM, (i + 1) * DIM)
      const logits = bias.map((b, c) => x.reduce((sum, value, j) => sum + value * weight[c * DIM + j]!, b))
      const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0)
      loss += Math.log(total) - logits[wide.labels[i]!]!
      for (let c = 0; c < CLASSES; c++) {
        const residual = Math.exp(logits[c]!) / total - Number(c === wide.labels[i])
        for (let j = 0; j < DIM; j++) gradient[c * DIM + j]! += C * residual * x[j]!
      }
    }
    const penalty = weight.reduce((sum, w) => sum + w * w, 0) / 2
    expect(objective).toBeCloseTo(C * loss + penalty, 6)
    expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-5)
  })

  test('leaves no tensors behind', () => {
    const before = liveTensors()
    const problem = logisticProblem(train, CLASSES)
    const held = liveTensors()
    predict(problem.fit({ C: 1e-3 }), train.features)
    expect(liveTensors()).toBe(held)
    problem.dispose()
    expect(liveTensors()).toBe(before)
  })

  test('refuses what cannot be fitted', () => {
    const fit = (change: Partial<FeatureSet>, C = 1) =>
      fitLogisticRegression({ ...train, ...change }, CLASSES, { C })
    expect(() => fit({}, 0)).toThrow('C is 0')
    expect(() => fit({ dim: 65 })).toThrow('need 39000 features, got 38400')
    expect(() => fit({ labels: train.labels.map((label) => label + 1) })).toThrow(
      'label 6 is not among 6 classes',
    )
    const features = train.features.slice()
    features[130] = Number.NaN
    expect(() => fit({ features })).toThrow('feature 2 of row 2 is NaN')
    expect(() =>
      predict({ weight: new Float64Array(4), bias: new Float64Array(2) }, new Float32Array(3)),
    ).toThrow('rows of 2')
    using problem = logisticProblem(train, CLASSES)
    const start = { weight: new Float64Array(10), bias: new Float64Array(5) }
    expect(() => problem.fit({ C: 1, start })).toThrow('5 biases and 10 weights')
  })
})
