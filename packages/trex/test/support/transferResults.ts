import type { SetResult, TransferResults } from '../../src/suite/results.js'

/** Made-up results of a set, one score a seed. */
export const setResult = (
  name: string,
  scores: readonly number[],
  more: Partial<SetResult> = {},
): SetResult => ({
  ...{
    name,
    probe: 'lbfgs',
    metric: 'top1',
    classes: 10,
    trainval: 100,
    test: 50,
    leftOut: 0,
    fingerprint: name,
  },
  seeds: scores.map((score, seed) => ({
    ...{ seed, score, meanPerClass: score - 1, validation: score },
    chosen: { C: 1 },
  })),
  ...{ knn: 40, classMeans: 41 },
  ...more,
})
/** Made-up results of a model. */
export const results = (sets: SetResult[], name = 'model'): TransferResults => ({
  format: 'trex-transfer-1',
  model: { name, encoder: 'resnet50', fingerprint: name },
  settings: { trials: 30 },
  sets,
})
