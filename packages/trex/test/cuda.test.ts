import { isCudaAvailable, setCudnnBenchmark, setDeterministic, type Tensor, tidy } from 'trex-torch'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { disposeLearner, type Learner, learnerState } from '../src/train/learner.js'
import { applyPrecision } from '../src/train/precision.js'
import { trainStep } from '../src/train/step.js'
import { openGolden } from './support/golden.js'
import { createGoldenLearner, goldenInput } from './support/goldenLearner.js'
import { followGoldenSteps } from './support/goldenSteps.js'
import { hostReads } from './support/hostReads.js'
import { valuesOf } from './support/model.js'

const cuda = isCudaAvailable()
const why = cuda ? '' : ' (skipped: libtorch sees no CUDA device)'
const names = ['ocm1', 'ocm3', 'plain0', 'plain1', 'plain3']

const learnerOf = (name: string, dtype: 'bfloat16' | 'float16' | null) =>
  createGoldenLearner(openGolden(`e_${name}`), {
    precision: { device: 'cuda', dtype },
    channelsLast: dtype !== null,
  })

/** Losses of `count` steps on one batch. */
function losses(learner: Learner, count: number, lr: number): number[] {
  const input = tidy(() => goldenInput(0, 'float32', 'cuda'))
  const steps = Array.from({ length: count }, () =>
    tidy(() => trainStep(learner, input, lr).loss.to('float64').item()),
  )
  for (const tensor of [...input.crops, input.labels]) tensor.dispose()
  return steps
}

const conv1 = (learner: Learner): Tensor => learnerState(learner).get('model.encoder.conv1.weight')!

describe.skipIf(!cuda)(`CUDA${why}`, () => {
  beforeAll(() => {
    hostReads(() => {}) // before any operator is looked up
  })
  afterEach(() => {
    setDeterministic(false)
    setCudnnBenchmark(false)
  })

  // The first, since cuBLAS reads its setting at its first call.
  test.each(['ocm1', 'plain1'])(`deterministic, %s gives the same bits twice${why}`, (name) => {
    applyPrecision({ tf32: false, deterministic: true })
    const [first, second] = [0, 1].map(() => {
      const learner = learnerOf(name, null)
      const found = { losses: losses(learner, 3, 0.01), weights: valuesOf(conv1(learner)) }
      disposeLearner(learner)
      return found
    })
    expect(second).toEqual(first)
  })

  test.each(names)(`%s, five steps in float32 without TF32${why}`, (name) => {
    applyPrecision({ tf32: false, deterministic: true })
    followGoldenSteps(name, { dtype: 'float32', channelsLast: false, device: 'cuda' })
  })

  test.each(names)(`%s, five steps in float64 to 1e-10${why}`, (name) => {
    applyPrecision({ tf32: false, deterministic: false })
    followGoldenSteps(name, { dtype: 'float64', channelsLast: false, device: 'cuda' })
  })

  test.each(names)(`%s learns in bfloat16${why}`, (name) => {
    applyPrecision({ tf32: true, deterministic: false })
    const golden = openGolden(`e_${name}`)
    const learner = learnerOf(name, 'bfloat16')
    for (const t of [0, 1])
      tidy(() => {
        const { loss, logits } = trainStep(learner, goldenInput(t, 'float32', 'cuda'), golden.f64('lr')[t]!)
        expect(logits.dtype).toBe('float32')
        expect(Math.abs(loss.item() - golden.f64(`f64.step${t}.loss`)[0]!)).toBeLessThan(0.15)
      })
    const steps = losses(learner, 15, 0.02)
    expect(steps.at(-1)!).toBeLessThan(steps[0]!)
    disposeLearner(learner)
  })

  test.each(names)(`%s learns in float16, its loss scaled${why}`, (name) => {
    const learner = learnerOf(name, 'float16')
    expect(learner.scaler.enabled).toBe(true)
    const before = valuesOf(conv1(learner))
    const steps = losses(learner, 25, 0.02)
    expect(steps.every(Number.isFinite)).toBe(true)
    expect(steps.at(-1)!).toBeLessThan(steps[0]!)
    expect(valuesOf(conv1(learner))).not.toEqual(before)
    const { scale } = learner.scaler.state()
    expect(Math.log2(scale) % 1).toBe(0) // halved at overflows, from 2^16
    expect(scale).toBeLessThanOrEqual(65536)
    expect(scale).toBeGreaterThanOrEqual(1)
    learner.scaler.dispose()
    disposeLearner(learner)
  })

  test.each([null, 'bfloat16', 'float16'] as const)(`a step in %s reads nothing${why}`, (dtype) => {
    const learner = learnerOf('ocm1', dtype)
    tidy(() => {
      const input = goldenInput(0, 'float32', 'cuda')
      for (let step = 0; step < 2; step++)
        expect(hostReads(() => tidy(() => void trainStep(learner, input, 0.01)))).toEqual([])
    })
    learner.scaler.dispose()
    disposeLearner(learner)
  })
})
