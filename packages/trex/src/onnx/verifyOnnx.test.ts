import { Generator, setNumThreads } from 'trex-torch'
import { beforeAll, expect, test } from 'vitest'
import { detImages } from '../../test/support/det.js'
import { describe, runOnnx, weightsOf, worn } from '../../test/support/onnx.js'
import { createEncoder } from '../method/encoder.js'
import { neighbourAgreement, outputErrors } from './compareOutputs.js'
import { encoderOnnx } from './encoderOnnx.js'
import { onnxLimits, verifyOnnx } from './verifyOnnx.js'

beforeAll(() => setNumThreads(1))

const values = (...list: number[]) => Float32Array.from(list)

test('errors are those of the formulas', () => {
  const { maxAbsoluteError, maxRelativeError, maxCosineError, meanCosineError } = outputErrors(
    values(1, 0, 0, 2),
    values(1, 0, 4, 0),
    2,
  )
  expect([maxAbsoluteError, maxRelativeError, maxCosineError, meanCosineError]).toEqual([4, 1, 1, 0.5])
  const broken = outputErrors(values(1, Number.NaN, 0, 2), values(1, 0, 4, 0), 2)
  expect(broken.maxRelativeError).toBeNaN()
  expect(broken.maxCosineError).toBeNaN()
  expect(() => outputErrors(values(1), values(1, 2), 1)).toThrow('1 values against 2')
})

test('values that are wrong beside a far larger one are seen', () => {
  const width = 64
  const expected = Float32Array.from({ length: 3 * width }, (_, i) => (i % width === 0 ? 1e5 : Math.sin(i)))
  const zeros = expected.map((value) => (value === 1e5 ? value : 0))
  const errors = outputErrors(zeros, expected, 3)
  expect(errors.maxRelativeError).toBeLessThan(onnxLimits.fp32.maxRelativeError)
  expect(errors.medianRelativeError).toBe(1)
  expect(outputErrors(expected, expected, 3).medianRelativeError).toBe(0)
  expect(() => outputErrors(values(), values(), 0)).toThrow('there are no rows')
})

test('neighbours are those by angle, each row its own excluded', () => {
  const at = (...degrees: number[]) =>
    values(
      ...degrees.flatMap((angle, i) => [Math.cos, Math.sin].map((f) => (i + 1) * f((angle * Math.PI) / 180))),
    )
  expect(neighbourAgreement(at(0, 10, 50, 55), at(0, 12, 51, 55), 4)).toBe(1)
  expect(neighbourAgreement(at(0, 40, 50, 55), at(0, 10, 50, 55), 4)).toBe(0.75)
})

test('a model passes beside the encoder it was made of, and fails beside another or broken one', async () => {
  const encoder = worn(createEncoder('resnet18', { generator: new Generator(3), stem: 'small' }))
  const weights = weightsOf(encoder)
  const bytes = encoderOnnx(weights, describe(weights, 32))
  const batches = await Promise.all(
    [3, 5].map(async (n) => {
      const [images, shape] = [detImages(`verify ${n}`, n, 3, 32), [n, 3, 32, 32] as const]
      const { features } = await runOnnx(bytes, images, shape)
      return { images, shape, expected: { features: features!.data } }
    }),
  )
  const report = await verifyOnnx(bytes, batches, onnxLimits.fp32)
  expect(report).toMatchObject({ passed: true, failures: [], images: 8, neighbourAgreement: 1 })
  expect(report.runtime).toMatch(/^onnxruntime-node \d+\.\d+\.\d+$/)
  expect(report.outputs.features!.maxRelativeError).toBeLessThan(1e-6)

  const half = encoderOnnx(weights, describe(weights, 32), { precision: 'fp16' })
  const { passed, failures } = await verifyOnnx(half, batches, onnxLimits.fp32)
  expect(passed).toBe(false)
  expect(failures).toHaveLength(1)
  expect(failures[0]).toMatch(/^features is off by \d\.\de-[34] of its largest value, 0.0001 is allowed$/)

  const reversed = batches.map((batch) => ({
    ...batch,
    expected: { features: batch.expected.features.slice().reverse() },
  }))
  const int8 = await verifyOnnx(bytes, reversed, onnxLimits.int8)
  expect(int8.failures[1]).toMatch(/% of the images keep their nearest neighbour, 95.0 % are needed$/)

  expect(int8.failures[0]).toBe('neighbours among 8 images say nothing, 20 are needed')

  await expect(verifyOnnx(bytes.slice(0, 1000), batches, onnxLimits.fp32)).rejects.toThrow(
    'ONNX Runtime does not run the model',
  )
  encoder.dispose()
})
