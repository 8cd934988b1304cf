import { F, fromTypedArray, Generator, noGrad, setNumThreads, tidy } from 'trex-torch'
import { beforeAll, describe, expect, test } from 'vitest'
import { createEncoder } from '../src/method/encoder.js'
import { expectClose, expectError, expectFingerprint } from './support/compare.js'
import { det, detImages } from './support/det.js'
import { openGolden } from './support/golden.js'
import { filledState, gradientOf, precisions, valuesOf } from './support/model.js'

// vitFixtures.py made the numbers. Tolerances are against the float64 run.
const tolerances = {
  f32: { features: 2e-6, gradients: 2e-5 },
  f64: { features: 1e-13, gradients: 1e-12 },
} as const

const golden = openGolden('vit')
const cases = Object.entries(
  golden.json<Record<string, [patch: number, size: number, image: number, pooling: 'class' | 'mean']>>(
    'cases',
  ),
)

beforeAll(() => setNumThreads(1))

describe.each(cases)('vit_tiny %s', (key, [patchSize, imageSize, image, pooling]) => {
  test.each(precisions)('features and gradients in %s', (suffix, dtype) => {
    const encoder = createEncoder('vit_tiny', { vit: { patchSize, pooling }, imageSize })
    tidy(() => encoder.loadStateDict(filledState(encoder, 'vit.', 'default')))
    encoder.to({ dtype })
    tidy(() => {
      const shape = [2, 3, image, image]
      const x = fromTypedArray(detImages(`vit.x${image}`, 2, 3, image), shape, { dtype, requiresGrad: true })
      const weights = fromTypedArray(det('vit.g', [2, 192], 1), [2, 192], { dtype })
      const features = encoder.forward(x)
      const loss = features.mul(weights).sum()
      loss.backward()
      const { features: near, gradients } = tolerances[suffix]
      expectClose(`features ${suffix}`, key, valuesOf(features), golden.f64(`${key}.f64.features`), near)
      const error = Math.abs(loss.item() / golden.f64(`${key}.f64.loss`)[0]! - 1)
      expectError(`loss ${suffix}`, key, error, suffix === 'f32' ? 1e-5 : 1e-13)
      const expected = golden.fingerprints(`${key}.f64.grads`)
      const parameters = [...encoder.namedParameters()]
      expect(['x', ...parameters.map(([name]) => name)]).toEqual([...expected.keys()])
      const scale = Math.max(...[...expected.values()].map(({ stats }) => stats[1])) * 1e-4
      for (const [name, tensor] of [['x', x] as const, ...parameters]) {
        const fingerprint = expected.get(name)!
        const norm = Math.max(fingerprint.stats[1], scale) // some are next to nothing, as those of key biases
        expectFingerprint(
          `gradients ${suffix}`,
          `${key} ${name}`,
          gradientOf(tensor),
          fingerprint,
          gradients,
          norm,
        )
      }
    })
    encoder.dispose()
  })
})

test.each(['vit_tiny', 'vit_small', 'vit_base'])('%s has the names and shapes of PyTorch', (name) => {
  const encoder = createEncoder(name)
  const shapes = [...encoder.stateDict()].map(([key, tensor]) => [key, tensor.shape])
  expect(shapes).toEqual(Object.entries(golden.json<Record<string, number[]>>(`state.${name}`)))
  encoder.dispose()
})

test(`attention: both kernels agree (this libtorch uses the ${F.attentionKernel()} one)`, () => {
  const draw = (name: string) =>
    fromTypedArray(det(name, [2, 3, 37, 16], 2), [2, 3, 37, 16], { requiresGrad: true })
  const results = (['plain', F.attentionKernel()] as const).map((kernel) =>
    tidy(() => {
      const inputs = ['q', 'k', 'v'].map(draw)
      const y = F.attention(inputs[0]!, inputs[1]!, inputs[2]!, kernel)
      y.mul(y).sum().backward()
      return [valuesOf(y), ...inputs.map(gradientOf)]
    }),
  )
  for (const [i, plain] of results[0]!.entries())
    expectClose('attention', String(i), results[1]![i]!, plain, 5e-7)
})

test('a seed decides the weights', () => {
  const make = (seed: number) => createEncoder('vit_tiny', { generator: new Generator(seed), imageSize: 32 })
  const [a, b, c] = [make(3), make(3), make(4)]
  const all = (encoder: typeof a) =>
    Buffer.concat([...encoder.stateDict().values()].map((tensor) => Buffer.from(valuesOf(tensor).buffer)))
  expect(all(a).equals(all(b))).toBe(true)
  expect(all(a).equals(all(c))).toBe(false)
  const weight = a.stateDict().get('blocks.3.mlp.fc1.weight')!
  const std = noGrad(() => tidy(() => weight.var([0, 1]).sqrt().item()))
  expect(Math.abs(std / 0.02 - 1)).toBeLessThan(0.02) // 147,456 draws
  for (const encoder of [a, b, c]) encoder.dispose()
})
