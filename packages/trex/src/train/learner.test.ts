import { liveTensors, noGrad, ones, tidy } from 'trex-torch'
import { expect, test } from 'vitest'
import { resolveSettings } from '../config.js'
import type { MultiCropModel } from '../method/multiCropModel.js'
import type { OnlineClassMeans } from '../method/onlineClassMeans.js'
import { createLearner, disposeLearner, hasFiniteWeights, ownLearner } from './learner.js'

const settings = resolveSettings({
  recipe: 'trex-plain-3',
  flags: { encoder: 'resnet18', projector: { hidden: 8, bottleneck: 4 } },
})
const create = () => createLearner(settings, 3, { device: 'cpu', dtype: null })

test('a weight that is not finite is found, wherever it is', () => {
  const learner = create()
  expect(hasFiniteWeights(learner)).toBe(true)
  for (const part of [learner.model, learner.prototypes]) {
    const weight = part.parameters().at(-1)!
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      noGrad(() => weight.fill_(bad))
      expect(hasFiniteWeights(learner)).toBe(false)
    }
    noGrad(() => weight.fill_(0))
  }
  expect(hasFiniteWeights(learner)).toBe(true)
  disposeLearner(learner)
})

test('the momentum encoder leaves out no block by chance', () => {
  const flags = { encoder: 'vit_tiny', imageSize: 32, projector: { hidden: 8, bottleneck: 4 } } as const
  const vit = resolveSettings({ flags, sets: ['vit.dropPath=0.9', 'onlineClassMeans.size=8'] })
  const learner = createLearner(vit, 3, { device: 'cpu', dtype: null })
  const { momentumEncoder } = learner.prototypes as OnlineClassMeans
  const twice = (model: MultiCropModel) =>
    tidy(() => {
      const images = ones([2, 3, 32, 32])
      return noGrad(() => [0, 1].map(() => model.encoder.forward(images).toFloat32Array()))
    })
  const [first, second] = twice(momentumEncoder.model)
  expect(second).toEqual(first)
  const [one, other] = twice(learner.model)
  expect(other).not.toEqual(one)
  disposeLearner(learner)
})

test('an owned learner ends with its scope, unless it was handed on', () => {
  const before = liveTensors()
  {
    using _owner = ownLearner(create())
  }
  expect(liveTensors()).toBe(before)
  let kept: ReturnType<typeof create>
  {
    using owner = ownLearner(create())
    kept = owner.release()
  }
  expect(hasFiniteWeights(kept)).toBe(true)
  disposeLearner(kept)
  expect(liveTensors()).toBe(before)
})
