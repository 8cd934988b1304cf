import { fromTypedArray, Generator, noGrad, setNumThreads, tidy } from 'trex-torch'
import { beforeAll, expect, test } from 'vitest'
import { maxAbs } from '../../test/support/compare.js'
import { detImages } from '../../test/support/det.js'
import { describe, runOnnx, weightsOf, worn } from '../../test/support/onnx.js'
import { createEncoder, type Encoder } from '../method/encoder.js'
import { encoderOnnx } from './encoderOnnx.js'

beforeAll(() => setNumThreads(1))

/** The engine's features of images [N, 3, H, W]. */
const engine = (encoder: Encoder, images: Float32Array, shape: number[]): Float32Array =>
  tidy(() => noGrad(() => encoder.forward(fromTypedArray(images, shape)).toFloat32Array()))

const error = (a: Float32Array, b: Float32Array) => maxAbs(a.map((value, i) => value - b[i]!)) / maxAbs(b)

test.each([
  ['resnet18', {}],
  ['resnet18', { stem: 'small' }],
  ['resnet34', {}],
  ['resnet50', {}],
  ['resnet50', { stem: 'small' }],
  ['resnet101', {}],
] as const)('%s %j: features are those of the engine, for any batch and size', async (name, options) => {
  const encoder = worn(createEncoder(name, { generator: new Generator(3), ...options }))
  const weights = weightsOf(encoder)
  for (const [precision, limit] of [
    ['fp32', 1e-4],
    ['fp16', 1e-2],
  ] as const) {
    const bytes = encoderOnnx(weights, describe(weights, encoder.featureDim, 64), { precision })
    for (const shape of [
      [2, 3, 64, 64],
      [1, 3, 48, 32],
    ]) {
      const [n, , h, w] = shape as [number, number, number, number]
      const images = detImages('onnx', 2, 3, 64).slice(0, n * 3 * h * w)
      const { features } = await runOnnx(bytes, images, shape)
      expect(features!.dims).toEqual([n, encoder.featureDim])
      expect(error(features!.data, engine(encoder, images, shape))).toBeLessThan(limit)
    }
  }
  encoder.dispose()
})
