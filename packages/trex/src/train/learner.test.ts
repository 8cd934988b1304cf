import { liveTensors, noGrad } from 'trex-torch'
import { expect, test } from 'vitest'
import { resolveSettings } from '../config.js'
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
