import { liveTensors, noGrad, ones, randint, randn, tidy } from 'trex-torch'
import { expect, test } from 'vitest'
import { tinyLearner } from '../../test/support/tinyLearner.js'
import { resolveSettings } from '../config.js'
import type { MultiCropModel } from '../method/multiCropModel.js'
import type { OnlineClassMeans } from '../method/onlineClassMeans.js'
import {
  createLearner,
  disposeLearner,
  hasFiniteState,
  hasFiniteWeights,
  learnerState,
  ownLearner,
} from './learner.js'
import { trainStep } from './step.js'

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

test('so is any other number of what a checkpoint holds', () => {
  const learner = tinyLearner()
  tidy(() => trainStep(learner, { crops: [randn([4, 3, 8, 8])], labels: randint(0, 3, [4]) }, 0.01))
  const state = learnerState(learner)
  const names = [
    'prototypes.memory_bank.features',
    'prototypes.momentum_encoder.model.projector.layers.1.bn.running_var',
    'model.projector.layers.1.bn.running_mean',
  ]
  const momentum = [...learner.optimizer.stateDict().values()].at(-1)!
  for (const tensor of [...names.map((name) => state.get(name)!), momentum]) {
    expect(hasFiniteState(learner)).toBe(true)
    tidy(() => {
      const kept = tensor.clone()
      noGrad(() => tensor.select(0, 0).fill_(Number.NaN))
      expect([hasFiniteState(learner), hasFiniteWeights(learner)]).toEqual([false, true])
      noGrad(() => tensor.copy_(kept))
    })
  }
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
