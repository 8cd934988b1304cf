import { fromTypedArray, setNumThreads, tidy } from 'trex-torch'
import { beforeAll, describe, expect, test } from 'vitest'
import { createEncoder } from '../src/method/encoder.js'
import { expectClose, expectFingerprint } from './support/compare.js'
import { det, detImages } from './support/det.js'
import { openGolden } from './support/golden.js'
import { filledState, gradientOf, precisions, valuesOf } from './support/model.js'

// Tolerances of the golden files' README; float32 gradients differ where a ReLU at the rounding edge flips.
const float32Gradients = {
  resnet18: { eval: 5e-5, train: 5e-5 },
  resnet50: { eval: 2e-3, train: 1e-1 },
} as const

beforeAll(() => setNumThreads(1))

describe.each([
  ['resnet18', 'r18.'],
  ['resnet50', 'r50.'],
] as const)('%s', (name, prefix) => {
  const golden = openGolden(`a_${name}`)

  test('the filled weights have the stored fingerprints', () => {
    const encoder = createEncoder(name)
    tidy(() => encoder.loadStateDict(filledState(encoder, prefix, 'random')))
    const expected = golden.fingerprints('init')
    const state = [...encoder.stateDict()].filter(([, tensor]) => tensor.dtype === 'float32')
    expect(state.map(([key]) => key)).toEqual([...expected.keys()])
    for (const [key, tensor] of state)
      expectFingerprint(`${name} init`, key, valuesOf(tensor), expected.get(key)!, 1e-12)
    encoder.dispose()
  })

  describe.each(precisions)('%s', (tag, dtype) => {
    test.each(['eval', 'train'] as const)('%s: features, gradients and running statistics', (mode) => {
      const f64 = tag === 'f64'
      const group = `${name} ${mode} ${tag}`
      const encoder = createEncoder(name)
      tidy(() => {
        encoder.loadStateDict(filledState(encoder, prefix, 'random'))
        encoder.to({ dtype }).train(mode === 'train')
        const x = fromTypedArray(detImages('a.x', 4, 3, 64), [4, 3, 64, 64], { dtype, requiresGrad: true })
        const g = fromTypedArray(det(`a.g.${name}`, [4, encoder.featureDim], 1), [4, encoder.featureDim], {
          dtype,
        })
        const features = encoder.forward(x)
        const loss = features.mul(g).sum()
        loss.backward()

        const key = `${mode}.f64`
        const compare = (what: string, name: string, actual: Float64Array, float32: number) => {
          const tolerance = (f64 ? 1e-9 : float32) + golden.rounding(`${key}.${name}`)
          expectClose(`${group} ${what}`, name, actual, golden.f64(`${key}.${name}`), tolerance)
        }
        const gradients = float32Gradients[name][mode]
        compare('features', 'features', valuesOf(features), 2e-5)
        compare('loss', 'loss', valuesOf(loss), 2e-5)
        compare('whole gradients', 'grad.x', gradientOf(x), gradients)
        const parameters = new Map(encoder.namedParameters())
        const fingerprints = golden.fingerprints(`${key}.grads`)
        expect([...fingerprints.keys()]).toEqual([...parameters.keys()])
        for (const [parameter, expected] of fingerprints) {
          const actual = gradientOf(parameters.get(parameter)!)
          expectFingerprint(`${group} gradients`, parameter, actual, expected, f64 ? 1e-9 : gradients)
          if (golden.has(`${key}.grad.${parameter}`))
            compare('whole gradients', `grad.${parameter}`, actual, gradients)
        }
        for (const [buffer, tensor] of encoder.namedBuffers()) {
          if (tensor.dtype === 'int64') expect(tensor.item(), buffer).toBe(mode === 'train' ? 1 : 0)
          else if (mode === 'train') compare('running statistics', `after.${buffer}`, valuesOf(tensor), 1e-5)
        }
      })
      encoder.dispose()
    })
  })
})
