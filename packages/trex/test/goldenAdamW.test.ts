import { fromTypedArray, setNumThreads, tidy } from 'trex-torch'
import { beforeAll, describe, expect, test } from 'vitest'
import { TREX_PLAIN_1 } from '../src/recipes.js'
import { createLearner, disposeLearner, learnerState } from '../src/train/learner.js'
import { setWeightDecay } from '../src/train/optimizer.js'
import { trainStep } from '../src/train/step.js'
import { expectClose, expectError, expectFingerprint } from './support/compare.js'
import { detImages, labels } from './support/det.js'
import { openGolden } from './support/golden.js'
import { filledState, precisions, valuesOf } from './support/model.js'

// Five steps of a whole learner, vit_tiny and AdamW with a weight decay of its own at each step, against PyTorch's
// (vitFixtures.py).

const golden = openGolden('vit_adamw')
const { lr, weightDecay, betas } = golden.json<{
  lr: number[]
  weightDecay: number[]
  betas: [number, number]
}>('case')

beforeAll(() => setNumThreads(1))

const settings = {
  ...TREX_PLAIN_1,
  encoder: 'vit_tiny',
  vit: { patchSize: 8, pooling: 'class', dropPath: 0 },
  globalCrops: { ...TREX_PLAIN_1.globalCrops, size: 64 },
  projector: { layers: 1, hidden: 64, bottleneck: 32, l2Input: true },
  optimizer: { ...TREX_PLAIN_1.optimizer, name: 'adamw', betas },
} as const

describe.each(precisions)('%s', (suffix, dtype) => {
  const exact = suffix === 'f64'

  test('logits, losses, weights and averages of five steps', () => {
    const learner = createLearner(settings, 10, { device: 'cpu', dtype: null })
    const { model, prototypes, optimizer, optimized } = learner
    tidy(() => {
      model.loadStateDict(filledState(model, 'vit_adamw.model.', 'default'))
      prototypes.loadStateDict(filledState(prototypes, 'vit_adamw.prototypes.', 'default'))
    })
    for (const part of [model, prototypes]) part.to({ dtype })
    const start = new Map([...learnerState(learner)].map(([name, tensor]) => [name, valuesOf(tensor)]))
    for (let step = 0; step < 5; step++)
      tidy(() => {
        const images = (what: string, n: number, size: number) =>
          fromTypedArray(detImages(`vit_adamw.step${step}.${what}`, n, 3, size), [n, 3, size, size], {
            dtype,
          })
        setWeightDecay(learner, weightDecay[step]!)
        const input = {
          crops: [images('global', 4, 64), images('local', 8, 32)],
          labels: fromTypedArray(labels(`vit_adamw.labels.step${step}`, 4, 10), [4]),
        }
        const { loss, logits } = trainStep(learner, input, lr[step]!)
        const key = `f64.step${step}`
        expectClose(
          `${suffix} logits`,
          key,
          valuesOf(logits),
          golden.f64(`${key}.logits`),
          exact ? 1e-10 : 1e-4,
        )
        const error = Math.abs(loss.item() - golden.f64(`${key}.loss`)[0]!)
        expectError(`${suffix} loss`, key, error, exact ? 1e-10 : 1e-4)
      })

    // AdamW divides by the gradient's own size, so where the gradient is next to nothing its rounding decides: such are
    // the biases before a batch norm and, in float32, those of the attention's keys. No output depends on them.
    const undecided = exact ? /fc\.bias$/ : /fc\.bias$|qkv\.bias$/
    const final = new Map([...learnerState(learner)].map(([name, tensor]) => [name, valuesOf(tensor)]))
    const deltas = golden.fingerprints('f64.delta')
    for (const [name, expected] of golden.fingerprints('f64.final')) {
      if (undecided.test(name)) continue
      expectFingerprint(`${suffix} final`, name, final.get(name)!, expected, exact ? 1e-11 : 1e-5)
      const moved = final.get(name)!.map((value, i) => value - start.get(name)![i]!)
      expectFingerprint(`${suffix} delta`, name, moved, deltas.get(name)!, exact ? 1e-8 : 3e-2)
    }
    const state = optimizer.stateDict()
    for (const what of ['expAvg', 'expAvgSq'])
      for (const [name, expected] of golden.fingerprints(`f64.${what}`)) {
        if (/fc\.bias$/.test(name)) continue // 0 but for rounding
        const average = valuesOf(state.get(`${optimized.indexOf(name)}.${what}`)!)
        expectFingerprint(`${suffix} ${what}`, name, average, expected, exact ? 1e-9 : 1e-2)
      }
    disposeLearner(learner)
  })
})

test('the class token and the position embedding decay, biases and norms do not', () => {
  const learner = createLearner(settings, 10, { device: 'cpu', dtype: null })
  const [plain, decayed] = learner.optimizer.groups
  const names = (from: number, count: number) => learner.optimized.slice(from, from + count)
  const unregularized = names(0, plain!.params.length)
  const regularized = names(plain!.params.length, decayed!.params.length)
  expect(unregularized.every((name) => /\.bias$|norm\d?\.weight$|bn\.weight$/.test(name))).toBe(true)
  expect(regularized).toEqual(
    expect.arrayContaining(['model.encoder.cls_token', 'model.encoder.pos_embed', 'prototypes.weight']),
  )
  expect([plain!.weightDecay, decayed!.weightDecay]).toEqual([0, settings.optimizer.weightDecay])
  setWeightDecay(learner, 0.3)
  expect([plain!.weightDecay, decayed!.weightDecay]).toEqual([0, 0.3])
  disposeLearner(learner)
})
