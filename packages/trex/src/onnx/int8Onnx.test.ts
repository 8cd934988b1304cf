import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InferenceSession } from 'onnxruntime-node'
import { Generator, setNumThreads } from 'trex-torch'
import { beforeAll, expect, test } from 'vitest'
import { detImages, unit } from '../../test/support/det.js'
import { describe, runOnnx, weightsOf, worn } from '../../test/support/onnx.js'
import { createEncoder } from '../method/encoder.js'
import { observeChannels, observeValues } from './activationRange.js'
import { encoderOnnx } from './encoderOnnx.js'
import { int8Onnx } from './int8Onnx.js'
import { readOnnxModel } from './readOnnxModel.js'
import { onnxLimits, verifyOnnx } from './verifyOnnx.js'

beforeAll(() => setNumThreads(1))

const SIDE = 32

/** Images in pairs: of each the other is the nearest. */
function pairs(name: string, count: number) {
  const shape = [2 * count, 3, SIDE, SIDE] as const
  const pictures = detImages(name, count, 3, SIDE)
  const size = 3 * SIDE * SIDE
  const noise = unit(`${name} noise`, 2 * count * size)
  const images = Float32Array.from(
    noise,
    (value, i) => pictures[Math.floor(i / (2 * size)) * size + (i % size)]! + 0.2 * value,
  )
  return { images, shape }
}

/** The operators that are left when ONNX Runtime has optimised a model. */
async function optimised(bytes: Uint8Array): Promise<ReadonlyMap<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'trex-int8-'))
  const path = join(folder, 'optimised.onnx')
  try {
    const session = await InferenceSession.create(bytes, {
      optimizedModelFilePath: path,
      graphOptimizationLevel: 'extended',
    })
    await session.release()
    return readOnnxModel(readFileSync(path)).operators
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test.each([
  ['resnet18', { stem: 'small' }],
  ['resnet50', {}],
  ['vit_tiny', { imageSize: SIDE, vit: { patchSize: 8 } }],
] as const)('%s: a quarter of the size, integer operations, the same neighbours', async (name, options) => {
  const encoder = worn(createEncoder(name, { generator: new Generator(3), ...options }))
  const weights = weightsOf(encoder)
  const description = describe(weights, SIDE)
  const exact = encoderOnnx(weights, description)
  const batch = pairs('int8', 12)
  const { features } = await runOnnx(exact, batch.images, batch.shape)
  const checked = [{ ...batch, expected: { features: features!.data } }]
  const bytes = await int8Onnx(weights, description, [pairs('calibration', 12)])
  const report = await verifyOnnx(bytes, checked, onnxLimits.int8)
  expect(report.passed).toBe(true)
  expect(report.outputs.features!.maxCosineError).toBeLessThan(0.01)
  expect(bytes.length / exact.length).toBeLessThan(0.27)

  const operators = await optimised(bytes)
  const left = (operator: string) => operators.get(operator) ?? 0
  if (name === 'vit_tiny') expect(left('com.microsoft.MatMulIntegerToFloat')).toBe(48)
  else {
    // what the small stem's convolution gives is also read as float32
    expect([left('QLinearConv'), left('Conv')]).toEqual([name === 'resnet18' ? 19 : 53, 0])
  }

  if (name === 'resnet50') return encoder.dispose()
  const closer = await int8Onnx(weights, description, null)
  const { outputs } = await verifyOnnx(closer, checked, onnxLimits.int8)
  expect(outputs.features!.meanCosineError).toBeLessThan(report.outputs.features!.meanCosineError)
  expect(closer.length / exact.length).toBeLessThan(0.27)
  encoder.dispose()
})

test('the range of evenly spread values is all of theirs, a far one is clipped in part', () => {
  const values = Float32Array.from({ length: 100_000 }, (_, i) => i / 100_000)
  const even = observeValues()
  even.add(values.subarray(0, 30_000), [])
  even.add(values.subarray(30_000), [])
  const { low, high } = even.range()
  expect(low).toBe(0)
  expect(high).toBeCloseTo(1, 2)
  const far = observeValues()
  far.add(
    values.map((value) => 2 * value - 1),
    [],
  )
  far.add(Float32Array.of(-2), [])
  // (2 - s)^2 / 100,000 + ((s + 1) / 255)^2 / 12 is least there
  const [clipped, rounding] = [1 / 100_000, 1 / 255 ** 2 / 12]
  const least = (2 * clipped - rounding) / (clipped + rounding)
  expect(Math.abs(far.range().low + least)).toBeLessThan(0.04) // one of the shares that are tried
  expect(far.range().high).toBeCloseTo(1, 2)
})

test('each channel has its range, with half of it beyond', () => {
  const channels = observeChannels()
  channels.add(Float32Array.of(1, 2, -4, 0, 3, 2, -1, 6), [2, 2, 2])
  expect(channels.range()).toEqual({ low: Float32Array.of(0, -6), high: Float32Array.of(4.5, 9) })
})

test('no images are named', async () => {
  const encoder = createEncoder('resnet18', { stem: 'small' })
  const weights = weightsOf(encoder)
  await expect(int8Onnx(weights, describe(weights, 32), [])).rejects.toThrow('int8 needs images')
  encoder.dispose()
})
