import { autocast, fromTypedArray, liveTensors, setNumThreads, tidy } from 'trex-torch'
import { beforeAll, describe, expect, test } from 'vitest'
import { createEncoder } from '../src/method/encoder.js'
import { disposeLearner, learnerState } from '../src/train/learner.js'
import { trainStep } from '../src/train/step.js'
import { expectClose, expectError } from './support/compare.js'
import { detImages } from './support/det.js'
import { openGolden } from './support/golden.js'
import { createGoldenLearner, goldenInput } from './support/goldenLearner.js'
import { filledState, valuesOf } from './support/model.js'

// bfloat16 keeps 8 bits: 0.4 % a rounding. Batch statistics of few values, as in training here, amplify it.

beforeAll(() => setNumThreads(1))

describe.each(['contiguous', 'channelsLast'] as const)(
  'features under bfloat16 autocast, %s',
  (memoryFormat) => {
    test.each([
      ['resnet18', 'r18.', 'eval', 0.015],
      ['resnet18', 'r18.', 'train', 0.06],
      ['resnet50', 'r50.', 'eval', 0.015],
      ['resnet50', 'r50.', 'train', 0.06],
    ] as const)('%s (%s) in %s mode', (name, prefix, mode, tolerance) => {
      const encoder = createEncoder(name)
      tidy(() => {
        encoder.loadStateDict(filledState(encoder, prefix, 'random'))
        encoder.to({ memoryFormat }).train(mode === 'train')
        const x = fromTypedArray(detImages('a.x', 4, 3, 64), [4, 3, 64, 64])
        const features = autocast({ dtype: 'bfloat16' }, () => encoder.forward(x)).to('float32')
        const expected = openGolden(`a_${name}`).f64(`${mode}.f64.features`)
        expectClose(
          `bfloat16 ${name} ${mode} ${memoryFormat}`,
          'features',
          valuesOf(features),
          expected,
          tolerance,
        )
      })
      encoder.dispose()
    })
  },
)

test.each(['ocm1', 'ocm3', 'plain0', 'plain1', 'plain3'])('%s learns under bfloat16 autocast', (name) => {
  const golden = openGolden(`e_${name}`)
  const precision = { device: 'cpu', dtype: 'bfloat16' } as const
  const learner = createGoldenLearner(golden, { precision, channelsLast: true })
  const before = valuesOf(learner.model.stateDict().get('encoder.conv1.weight')!)
  const live: number[] = []
  for (const t of [0, 1, 2, 3]) {
    tidy(() => {
      const { loss, logits } = trainStep(learner, goldenInput(t), golden.f64('lr')[t]!)
      expect(logits.dtype).toBe('float32')
      const error = Math.abs(loss.item() - golden.f64(`f64.step${t}.loss`)[0]!)
      expectError(`bfloat16 ${name} loss`, `step ${t}`, error, t <= 1 ? 0.15 : 0.5)
      if (t <= 1) {
        const expected = golden.f64(`f64.step${t}.logits`)
        expectClose(`bfloat16 ${name} logits`, `step ${t}`, valuesOf(logits), expected, 0.25)
      }
    })
    live.push(liveTensors())
  }
  expect(live[3], `tensors alive after each step: ${live}`).toBe(live[2])
  for (const [key, tensor] of learnerState(learner)) expect(tensor.dtype, key).toMatch(/^(float32|int64)$/)
  const after = valuesOf(learner.model.stateDict().get('encoder.conv1.weight')!)
  expect(after.every(Number.isFinite)).toBe(true)
  expect(after).not.toEqual(before)
  disposeLearner(learner)
})
