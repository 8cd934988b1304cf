import { createHash } from 'node:crypto'
import { setDeterministic, setNumThreads, type Tensor, tidy } from 'trex-torch'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { disposeLearner, learnerState } from '../src/train/learner.js'
import { applyPrecision } from '../src/train/precision.js'
import { trainStep } from '../src/train/step.js'
import { openGolden } from './support/golden.js'
import { createGoldenLearner, goldenInput } from './support/goldenLearner.js'

beforeAll(() => {
  setNumThreads(1)
  applyPrecision({ tf32: false, deterministic: true })
})
afterAll(() => setDeterministic(false))

const digest = (tensor: Tensor) => createHash('sha256').update(tensor.toTypedArray()).digest('hex')

test.each(['ocm1', 'plain1'])('%s: every operator of a step has a deterministic kernel', (name) => {
  const [first, second] = [0, 1].map(() => {
    const learner = createGoldenLearner(openGolden(`e_${name}`), { channelsLast: true })
    for (const t of [0, 1]) tidy(() => void trainStep(learner, goldenInput(t), 0.01))
    const state = [...learnerState(learner)].map(([key, tensor]) => [key, digest(tensor)])
    disposeLearner(learner)
    return state
  })
  expect(second).toEqual(first)
})
