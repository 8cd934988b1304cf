import { describe, expect, test } from 'vitest'
import { TREX } from '../src/recipes.js'
import { createLearner, learnerState } from '../src/train/learner.js'
import { decayGroups } from '../src/train/optimizer.js'
import { openGolden } from './support/golden.js'
import { goldenNameOf } from './support/goldenLearner.js'

const golden = openGolden('f_schedule_groups')

describe.each([
  { name: 'ocm3', layers: 3, bank: true, l2Input: true },
  { name: 'ocm0', layers: 0, bank: true, l2Input: false },
  { name: 'plain1', layers: 1, bank: false, l2Input: true },
])('$name', ({ name, layers, bank, l2Input }) => {
  const learner = createLearner(
    {
      encoder: 'resnet18',
      stem: 'imagenet',
      vit: TREX.vit,
      globalCrops: TREX.globalCrops,
      projector: { layers, hidden: 64, bottleneck: 32, l2Input },
      temperature: 0.1,
      onlineClassMeans: bank ? { size: 64, emaMomentum: 0.999 } : null,
      optimizer: TREX.optimizer,
      channelsLast: true,
      seed: 1,
    },
    10,
    { device: 'cpu', dtype: null },
  )

  test('weight decay is for weights of two or more dimensions', () => {
    const { model, prototypes } = learner
    const parameters = [...model.namedParameters('model'), ...prototypes.namedParameters('prototypes')]
    const groups = decayGroups(parameters)
    for (const group of ['regularized', 'unregularized'] as const)
      expect(groups[group].map(([parameter]) => goldenNameOf(parameter))).toEqual(
        golden.json(`groups.${name}.${group}`),
      )
    const decays = learner.optimizer.groups.map(({ params, weightDecay }) => [params.length, weightDecay])
    expect(decays).toEqual([
      [groups.unregularized.length, 0],
      [groups.regularized.length, 1e-4],
    ])
  })

  test('the state has the names and shapes of the original', () => {
    const { 'memory.ptr': pointer, ...expected } = golden.json<Record<string, number[]>>(
      `groups.${name}.state_dict`,
    )
    expect(pointer !== undefined).toBe(bank) // ours is on the host: memoryBank.pointer
    const shapes = [...learnerState(learner)].map(([key, tensor]) => [goldenNameOf(key), tensor.shape])
    expect(shapes).toEqual(Object.entries(expected))
  })
})
