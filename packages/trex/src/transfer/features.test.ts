import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { fromTypedArray, Generator, liveTensors, noGrad, setNumThreads, tidy } from 'trex-torch'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decodeImage } from '../data/decode/decode.js'
import { applyEvalTransform } from '../data/pixels/evalTransform.js'
import { IMAGENET_NORMALIZATION } from '../data/pixels/normalize.js'
import { createEncoder } from '../method/encoder.js'
import { rngFor } from '../rng.js'
import { extractFeatures } from './features.js'

const transform = { resize: 40, crop: 32, filter: 'bicubic' } as const
const fp32 = { device: 'cpu', dtype: null } as const
let folder: string
let samples: { path: string; label: number }[]

beforeAll(async () => {
  setNumThreads(1)
  folder = await mkdtemp(join(tmpdir(), 'trex-features-'))
  const rng = rngFor(9)
  samples = await Promise.all(
    [3, 0, 2, 0, 1].map(async (label, i) => {
      const [width, height] = [50 + 7 * i, 64]
      const pixels = Uint8Array.from({ length: width * height * 3 }, () => rng.int(256))
      const path = join(folder, `${i}.png`)
      await sharp(pixels, { raw: { width, height, channels: 3 } })
        .png()
        .toFile(path)
      return { path, label }
    }),
  )
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('features equal the encoder on each image alone, and nothing of the encoder changes', async () => {
  const encoder = createEncoder('resnet18', { generator: new Generator(4) })
  const [, stage] = [...encoder.namedModules()].find(([name]) => name === 'layer1')!
  stage.eval() // a mixture of modes, to be restored as it was
  const modes = [...encoder.namedModules()].map(([, { training }]) => training)
  const before = liveTensors()
  const options = { transform, batchSize: 2, workers: 0, precision: fp32, channelsLast: true }
  const { features, dim, labels } = await extractFeatures(encoder, samples, options)
  expect(liveTensors()).toBe(before)
  expect([...encoder.namedModules()].map(([, { training }]) => training)).toEqual(modes)
  expect([...labels]).toEqual([3, 0, 2, 0, 1])
  expect(dim).toBe(512)

  encoder.eval()
  const { mean, std } = IMAGENET_NORMALIZATION
  for (const [row, { path }] of samples.entries()) {
    const { data } = applyEvalTransform(await decodeImage(path), transform)
    const planes = Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => {
      const [channel, pixel] = [Math.floor(i / 1024), i % 1024]
      return (data[3 * pixel + channel]! / 255 - mean[channel]!) / std[channel]!
    })
    const alone = tidy(() =>
      noGrad(() => encoder.forward(fromTypedArray(planes, [1, 3, 32, 32])).toFloat32Array()),
    )
    for (let j = 0; j < dim; j++)
      expect(Math.abs(features[row * dim + j]! - alone[j]!)).toBeLessThan(1e-4 * (1 + Math.abs(alone[j]!)))
  }
  encoder.dispose()
})

test('a bad image is an error, and the modes are restored', async () => {
  const encoder = createEncoder('resnet18', { generator: new Generator(4) })
  const missing = { path: join(folder, 'none.png'), label: 0 }
  const options = { transform, batchSize: 2, workers: 0, precision: fp32, channelsLast: false }
  await expect(extractFeatures(encoder, [...samples, missing], options)).rejects.toThrow('none.png')
  expect(encoder.training).toBe(true)
  await expect(extractFeatures(encoder, [], options)).rejects.toThrow('no images')
  encoder.dispose()
})
