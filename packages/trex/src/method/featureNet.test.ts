import {
  fromTypedArray,
  Generator,
  liveTensors,
  noGrad,
  randn,
  setNumThreads,
  type Tensor,
  tidy,
} from 'trex-torch'
import { beforeAll, expect, test } from 'vitest'
import { expectClose } from '../../test/support/compare.js'
import { detImages } from '../../test/support/det.js'
import { openGolden } from '../../test/support/golden.js'
import { filledState, valuesOf } from '../../test/support/model.js'
import { createEncoder, type Encoder } from './encoder.js'
import { featureNet } from './featureNet.js'

beforeAll(() => setNumThreads(1))

/** An encoder whose batch norms are not those of the start. */
function used(name: string, options: object = {}): Encoder {
  const generator = new Generator(5)
  const encoder = createEncoder(name, { generator, ...options })
  tidy(() =>
    noGrad(() => {
      for (const [name, tensor] of encoder.stateDict()) {
        if (/running_var$|(bn\d|downsample\.1)\.weight$/.test(name))
          tensor.copy_(
            randn([...tensor.shape], { generator })
              .mul(0.2)
              .exp(),
          )
        if (/running_mean$|(bn\d|downsample\.1)\.bias$/.test(name))
          tensor.copy_(randn([...tensor.shape], { generator }).mul(0.2))
      }
    }),
  )
  return encoder.to({ memoryFormat: 'channelsLast' }).eval() as Encoder
}

const images = (side: number): Tensor =>
  randn([3, 3, side, side], { generator: new Generator(6) }).to({ memoryFormat: 'channelsLast' })

const cosine = (a: Float32Array, b: Float32Array) => {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

test.each([
  ['resnet18', {}, 64],
  ['resnet18', { stem: 'small' }, 16],
  ['resnet18', {}, 16], // the last maps are of one pixel
  ['resnet50', {}, 64],
  ['vit_tiny', { imageSize: 32, vit: { patchSize: 8 } }, 32],
] as const)('%s %j at %i px: folded features are those of the encoder', (name, options, side) => {
  const encoder = used(name, options)
  const before = liveTensors()
  const plain = tidy(() => noGrad(() => encoder.forward(images(side)).toFloat32Array()))
  for (const dtype of [null, 'bfloat16'] as const) {
    using net = featureNet(encoder, { device: 'cpu', dtype })
    const features = tidy(() => net.forward(images(side)))
    expect(features.dtype).toBe('float32')
    expect(features.shape).toEqual([3, encoder.featureDim])
    const values = features.toFloat32Array()
    features.dispose()
    if (dtype === null) {
      const largest = Math.max(...plain.map(Math.abs))
      for (const [i, value] of values.entries())
        expect(Math.abs(value - plain[i]!)).toBeLessThan(5e-6 * largest)
    } else expect(cosine(values, plain)).toBeGreaterThan(0.999)
  }
  expect(liveTensors()).toBe(before)
  encoder.dispose()
})

test.each([
  ['resnet18', 'r18.'],
  ['resnet50', 'r50.'],
] as const)('%s: features in float32 are the golden ones', (name, prefix) => {
  const golden = openGolden(`a_${name}`)
  const encoder = createEncoder(name)
  tidy(() => encoder.loadStateDict(filledState(encoder, prefix, 'random')))
  encoder.eval()
  using net = featureNet(encoder, { device: 'cpu', dtype: null })
  const features = tidy(() =>
    valuesOf(net.forward(fromTypedArray(detImages('a.x', 4, 3, 64), [4, 3, 64, 64], { dtype: 'float32' }))),
  )
  const tolerance = 2e-5 + golden.rounding('eval.f64.features') // that of the unfolded encoder
  expectClose(name, 'features', features, golden.f64('eval.f64.features'), tolerance)
  encoder.dispose()
})
