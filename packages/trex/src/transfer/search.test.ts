import { mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { liveTensors, setNumThreads } from 'trex-torch'
import { beforeAll, describe, expect, test } from 'vitest'
import { openGolden } from '../../test/support/golden.js'
import { rngFor } from '../rng.js'
import type { FeatureSet } from './featureSet.js'
import { lbfgs } from './lbfgs.js'
import { type LbfgsProbeOptions, searchLbfgsProbe } from './lbfgsProbe.js'
import type { SearchProgress, SearchResult } from './search.js'
import { searchSgdProbe } from './sgdProbe.js'

beforeAll(() => setNumThreads(1)) // tiny matrices

const golden = openGolden('g_linear')
const set = (x: string, y: string) => ({
  features: golden.f32(x),
  dim: 64,
  labels: Int32Array.from(golden.i64(y), Number),
})
const [trainval, test_] = [set('X', 'Y'), set('XT', 'YT')]

async function finish(run: AsyncGenerator<SearchProgress, SearchResult>) {
  const progress: SearchProgress[] = []
  let next = await run.next()
  for (; !next.done; next = await run.next()) progress.push(next.value)
  return { progress, result: next.value }
}

const lbfgsProbe = (options: Partial<LbfgsProbeOptions> = {}) =>
  finish(searchLbfgsProbe(trainval, test_, { seeds: [22], ...options }))

const folder = () => mkdtempSync(join(tmpdir(), 'trex-search-'))

describe('the logistic probe', () => {
  test('finds a C whose test accuracy is that of the golden minimiser there', async () => {
    const before = liveTensors()
    const { progress, result } = await lbfgsProbe({ seeds: [22, 23] })
    expect(liveTensors()).toBe(before)
    expect(progress.map(({ seed, trial }) => [seed, trial])).toEqual(
      [22, 23].flatMap((seed) => Array.from({ length: 30 }, (_, i) => [seed, i])),
    )
    const cases = golden.json<{ norm: string; C: number; acc_test_tight: number }[]>('lbfgs')
    const best = Math.max(...cases.map(({ acc_test_tight }) => acc_test_tight))
    expect(result.score.mean).toBeGreaterThan(best - 3)
    for (const { trials, chosen, validation, fit } of result.seeds) {
      expect(validation).toBe(Math.max(...trials.map(({ value }) => value!)))
      expect(chosen).toEqual(trials.find(({ value }) => value === validation)!.parameters)
      expect(trials.every(({ attributes }) => attributes.converged === 1)).toBe(true)
      expect(fit.converged).toBe(1)
    }
    expect(result.score.deviation).toBeGreaterThanOrEqual(0)
    expect((await lbfgsProbe({ seeds: [22, 23] })).result).toEqual(result)
  })

  test('killed at any trial goes on to the same result', async () => {
    const studyPath = (dir: string) => (seed: number) => join(dir, `${seed}.log`)
    const whole = folder()
    const { result } = await lbfgsProbe({ trials: 14, studyPath: studyPath(whole) })
    const bytes = readFileSync(studyPath(whole)(22))
    for (const share of [0.1, 0.5, 0.83, 1]) {
      const dir = folder()
      writeFileSync(studyPath(dir)(22), bytes)
      truncateSync(studyPath(dir)(22), Math.floor(share * bytes.length))
      const again = (await lbfgsProbe({ trials: 14, studyPath: studyPath(dir) })).result
      expect(JSON.stringify(again)).toBe(JSON.stringify(result)) // the order of keys included
    }
    await expect(lbfgsProbe({ trials: 14, studyPath: studyPath(whole), compat: true })).rejects.toThrow(
      'other settings',
    )
    const others = finish(
      searchLbfgsProbe({ ...trainval, features: trainval.features.map((x) => 2 * x) }, test_, {
        ...{ seeds: [22], trials: 14, studyPath: studyPath(whole) },
      }),
    )
    await expect(others).rejects.toThrow('other settings')
  })

  test('stops when its signal says so, and leaves no tensors', async () => {
    const before = liveTensors()
    const controller = new AbortController()
    const run = searchLbfgsProbe(trainval, test_, { seeds: [1], signal: controller.signal })
    await run.next()
    controller.abort(new Error('enough'))
    await expect(run.next()).rejects.toThrow('enough')
    expect(liveTensors()).toBe(before)
  })

  test("with the original's rules stops where it stops", async () => {
    const { result } = await lbfgsProbe({ compat: true, trials: 3, cRange: [0.09, 0.11] })
    expect(result.seeds[0]!.fit.converged).toBe(1)
    const { n_iter } = golden
      .json<{ norm: string; C: number; n_iter: number }[]>('lbfgs')
      .find(({ norm, C }) => norm === 'none' && C === 0.1)!
    expect(Math.abs(result.seeds[0]!.fit.iterations! / n_iter - 1)).toBeLessThan(0.15) // C is a tenth off
  })

  test('refuses what cannot be tuned or compared', async () => {
    const single = { features: Float32Array.of(1, 2, 3, 4), dim: 2, labels: Int32Array.of(0, 1) }
    const probe = (a: FeatureSet, b: FeatureSet, options: object = {}) =>
      finish(searchLbfgsProbe(a, b, { seeds: [1], ...options }))
    await expect(probe(single, single)).rejects.toThrow('no class has two training images')
    await expect(probe(trainval, single)).rejects.toThrow('trainval has 64 features, test has 2')
    await expect(probe(trainval, test_, { cRange: [1, 0.1] })).rejects.toThrow('between 1 and 0.1')
    await expect(probe(trainval, test_, { trials: 0 })).rejects.toThrow('0 trials and 1 seeds')
    await expect(probe(trainval, test_, { seeds: [] })).rejects.toThrow('30 trials and 0 seeds')
  })
})

describe('the probe of several labels', () => {
  const [n, dim, classes] = [240, 12, 3]
  const rng = rngFor(4)
  const features = Float32Array.from({ length: n * dim }, () => rng.normal())
  const targets = Uint8Array.from({ length: n * classes }, (_, i) =>
    Number(features[Math.floor(i / classes) * dim + (i % classes)]! + 0.5 * rng.normal() > 0.7),
  )
  const part = (from: number, to: number) => ({
    features: features.subarray(from * dim, to * dim),
    dim,
    targets: targets.subarray(from * classes, to * classes),
    classes,
  })

  test('fits one logistic regression a class, as plain L-BFGS does, and scores by mean average precision', async () => {
    const { result } = await finish(
      searchLbfgsProbe(part(0, 160), part(160, 240), { seeds: [3], trials: 2, cRange: [1, 1] }),
    )
    expect(result.meanPerClass).toBeNull()
    expect(result.score.mean).toBeGreaterThan(70)
    let expected = 0
    for (let c = 0; c < classes; c++)
      expected += lbfgs(
        (theta) => {
          let value = 0
          const gradient = theta.map((w, j) => (j < dim ? w : 0))
          for (let j = 0; j < dim; j++) value += theta[j]! ** 2 / 2
          for (let i = 0; i < 160; i++) {
            const x = [...features.subarray(i * dim, (i + 1) * dim), 1]
            const sign = targets[i * classes + c] ? 1 : -1
            const z = -sign * x.reduce((sum, v, j) => sum + v * theta[j]!, 0)
            value += Math.log1p(Math.exp(z))
            for (const [j, v] of x.entries()) gradient[j]! -= (sign * v) / (1 + Math.exp(-z))
          }
          return { value, gradient }
        },
        new Float64Array(dim + 1),
        { stopping: { gradient: 1e-9 } },
      ).value
    expect(result.seeds[0]!.fit.objective! / expected).toBeCloseTo(1, 6)
  })
})

describe('the SGD probe', () => {
  const sgdProbe = (options: object = {}) =>
    finish(searchSgdProbe(trainval, test_, { seeds: [22], trials: 12, epochs: 20, batch: 128, ...options }))

  test('learns what the logistic probe learns, the same every time', async () => {
    const before = liveTensors()
    const { result } = await sgdProbe()
    expect(liveTensors()).toBe(before)
    const logistic = await lbfgsProbe({ normalization: 'l2' })
    expect(Math.abs(result.score.mean - logistic.result.score.mean)).toBeLessThan(6) // 2 standard errors of 300 images
    expect(Object.keys(result.seeds[0]!.chosen)).toEqual(['lr', 'weightDecay'])
    expect((await sgdProbe()).result).toEqual(result)
  })

  test('counts a diverged trial as failed; the original scored it', async () => {
    const lrRange = [1e37, 2e38]
    await expect(sgdProbe({ lrRange, trials: 2 })).rejects.toThrow(
      'none of 2 trials ended with finite numbers',
    )
    const { progress } = await sgdProbe({ lrRange, trials: 2, compat: true })
    expect(progress.every(({ score }) => score !== null)).toBe(true)
  })

  test('stops between epochs, and leaves no tensors', async () => {
    const before = liveTensors()
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('enough')), 20)
    await expect(sgdProbe({ epochs: 10_000, signal: controller.signal })).rejects.toThrow('enough')
    expect(liveTensors()).toBe(before)
  })
})
