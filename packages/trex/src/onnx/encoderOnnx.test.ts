import { readFileSync } from 'node:fs'
import { fromTypedArray, Generator, noGrad, setNumThreads, tidy } from 'trex-torch'
import { beforeAll, expect, test } from 'vitest'
import { maxAbs } from '../../test/support/compare.js'
import { detImages } from '../../test/support/det.js'
import { describe, runOnnx, weightsOf, worn } from '../../test/support/onnx.js'
import { createEncoder, type Encoder } from '../method/encoder.js'
import { encoderOnnx } from './encoderOnnx.js'
import { PRODUCER_VERSION } from './writeModel.js'

beforeAll(() => setNumThreads(1))

const precisions = [
  ['fp32', 1e-4],
  ['fp16', 1e-2],
] as const

/** The engine's features of images [N, 3, H, W]. */
const engine = (encoder: Encoder, images: Float32Array, shape: readonly number[]): Float32Array =>
  tidy(() => noGrad(() => encoder.forward(fromTypedArray(images, shape)).toFloat32Array()))

/** The largest difference, relative to the largest value. */
const error = (a: Float32Array, b: Float32Array) => maxAbs(a.map((value, i) => value - b[i]!)) / maxAbs(b)

const imagesOf = ([n, c, h, w]: readonly [number, number, number, number]) =>
  detImages('onnx', n, c, 96).slice(0, n * c * h * w)

const [both, exact] = [precisions, precisions.slice(0, 1)]

test.each([
  ['resnet18', {}, both],
  ['resnet18', { stem: 'small' }, both],
  ['resnet34', {}, exact],
  ['resnet50', {}, both],
  ['resnet101', {}, exact],
] as const)('%s %j: features are those of the engine, for any batch and size', async (name, options, all) => {
  const encoder = worn(createEncoder(name, { generator: new Generator(3), ...options }))
  const weights = weightsOf(encoder)
  for (const [precision, limit] of all) {
    const bytes = encoderOnnx(weights, describe(weights, 64), { precision })
    for (const shape of [
      [2, 3, 64, 64],
      [1, 3, 48, 32],
    ] as const) {
      const { features } = await runOnnx(bytes, imagesOf(shape), shape)
      expect(features!.dims).toEqual([shape[0], encoder.featureDim])
      expect(error(features!.data, engine(encoder, imagesOf(shape), shape))).toBeLessThan(limit)
    }
  }
  encoder.dispose()
})

test.each([
  ['vit_tiny', 8, 'class', 32, [32, 48], both],
  ['vit_tiny', 16, 'mean', 64, [32], both],
  ['vit_small', 16, 'mean', 48, [96], exact],
  ['vit_base', 16, 'class', 48, [64], exact],
] as const)('%s/%i, %s pooling, of %i px: features are those of the engine at %j px', async (...row) => {
  const [name, patchSize, pooling, imageSize, crops, all] = row
  const vit = { patchSize, pooling }
  const encoder = worn(createEncoder(name, { generator: new Generator(3), imageSize, vit }))
  const weights = weightsOf(encoder)
  for (const crop of crops)
    for (const [precision, limit] of all) {
      const bytes = encoderOnnx(weights, describe(weights, crop, { vit }), { precision })
      const shape = [2, 3, crop, crop] as const
      const { features } = await runOnnx(bytes, imagesOf(shape), shape)
      expect(features!.dims).toEqual([2, encoder.featureDim])
      expect(error(features!.data, engine(encoder, imagesOf(shape), shape))).toBeLessThan(limit)
    }
  encoder.dispose()
})

test('in the layout of transformers.js the features are pooled from last_hidden_state', async () => {
  const resnet = worn(createEncoder('resnet18', { generator: new Generator(3), stem: 'small' }))
  const vit = worn(
    createEncoder('vit_tiny', { generator: new Generator(3), imageSize: 32, vit: { patchSize: 16 } }),
  )
  for (const encoder of [resnet, vit]) {
    const weights = weightsOf(encoder)
    const description = describe(weights, 32)
    const bytes = encoderOnnx(weights, description, { layout: 'transformers.js' })
    const shape = [2, 3, 32, 32] as const
    const results = await runOnnx(bytes, imagesOf(shape), shape)
    expect(Object.keys(results)).toEqual(['last_hidden_state', 'pooler_output'])
    const { last_hidden_state: hidden, pooler_output: pooled } = results
    const wide = encoder.featureDim
    expect(hidden!.dims).toEqual(encoder === resnet ? [2, wide, 4, 4] : [2, 5, wide])
    expect(pooled!.dims).toEqual([2, wide])
    expect(error(pooled!.data, engine(encoder, imagesOf(shape), shape))).toBeLessThan(1e-4)
    const own = pooled!.data.map((_, i) => {
      const [image, channel] = [Math.trunc(i / wide), i % wide]
      if (encoder === vit) return hidden!.data[image * 5 * wide + channel]!
      return hidden!.data.slice(i * 16, i * 16 + 16).reduce((sum, value) => sum + value / 16, 0)
    })
    expect(error(own, pooled!.data)).toBeLessThan(1e-6)
    encoder.dispose()
  }
})

test('what does not fit is named', () => {
  const encoder = createEncoder('vit_tiny', { imageSize: 32, vit: { patchSize: 16 } })
  const weights = weightsOf(encoder)
  expect(() => encoderOnnx(weights, describe(weights, 40))).toThrow(/40 px are not made of patches of 16/)
  expect(() => encoderOnnx(weights, describe(weights, 32, { featureDim: 384 }))).toThrow(
    /vit_tiny with 384 features/,
  )
  const tensors = new Map(weights.tensors)
  tensors.delete('blocks.3.mlp.fc1.bias')
  expect(() => encoderOnnx({ ...weights, tensors }, describe(weights, 32))).toThrow(
    'the weights have no blocks.3.mlp.fc1.bias',
  )
  tensors.set('blocks.3.mlp.fc1.bias', { dtype: 'F32', shape: [2], data: new Uint8Array(8) })
  expect(() => encoderOnnx({ ...weights, tensors }, describe(weights, 32))).toThrow(
    'blocks.3.mlp.fc1.bias is [2], not [768]',
  )
  tensors.set('blocks.3.mlp.fc1.bias', { dtype: 'I8', shape: [768], data: new Uint8Array(768) })
  expect(() => encoderOnnx({ ...weights, tensors }, describe(weights, 32))).toThrow(
    'blocks.3.mlp.fc1.bias has elements of type I8',
  )
  encoder.dispose()
})

test('files say the version that wrote them', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(PRODUCER_VERSION).toBe(version)
})
