import { fromTypedArray, Generator, Linear, noGrad, setNumThreads, type Tensor, tidy } from 'trex-torch'
import { beforeAll, expect, test } from 'vitest'
import { maxAbs } from '../../test/support/compare.js'
import { detImages } from '../../test/support/det.js'
import { describe, rawTensors, runOnnx, weightsOf, worn } from '../../test/support/onnx.js'
import { createEncoder, type Encoder } from '../method/encoder.js'
import { MemoryBank } from '../method/memoryBank.js'
import { MomentumEncoder } from '../method/momentumEncoder.js'
import { MultiCropModel } from '../method/multiCropModel.js'
import { OnlineClassMeans } from '../method/onlineClassMeans.js'
import { Projector } from '../method/projector.js'
import { LearnedPrototypes, type Prototypes } from '../method/prototypes.js'
import { encoderOnnx } from './encoderOnnx.js'

beforeAll(() => setNumThreads(1))

const shape = [3, 3, 32, 32] as const
const images = detImages('heads', 3, 3, 32)
const valuesOf = (make: () => Tensor) => tidy(() => noGrad(() => make().toFloat32Array()))
const error = (a: Float32Array, b: Float32Array) => maxAbs(a.map((value, i) => value - b[i]!)) / maxAbs(b)

const model = (layers: number, l2Input: boolean, seed: number) => {
  const generator = new Generator(seed)
  const encoder = createEncoder('resnet18', { generator, stem: 'small' })
  const shape = { layers, l2Input, hidden: 96, bottleneck: 24 }
  return worn(
    new MultiCropModel(encoder, new Projector(512, { ...shape, generator })) as never,
  ) as never as MultiCropModel
}

test.each([
  [0, true, 'learned', 0.1],
  [1, false, 'learned', 0],
  [2, true, 'online class means', 0.1],
] as const)(
  '%i hidden layers, l2 %j, %s prototypes: embedding and logits are those of the engine',
  async (...row) => {
    const [layers, l2Input, kind, temperature] = row
    const trained = model(layers, l2Input, 3)
    const generator = new Generator(9)
    const online = () => {
      const bank = new MemoryBank(40, 24, 7, generator)
      return new OnlineClassMeans(
        bank,
        new MomentumEncoder(trained, model(layers, l2Input, 4), 0.9),
        temperature,
      )
    }
    const prototypes: Prototypes & { stateDict(prefix: string): Map<string, Tensor> } =
      kind === 'learned' ? new LearnedPrototypes(24, 7, temperature, generator) : online()
    const state = new Map([...trained.stateDict('model'), ...prototypes.stateDict('prototypes')])
    const inside = [...state.keys()].filter((name) => name.startsWith('model.encoder.'))
    const rest = rawTensors(new Map([...state].filter(([name]) => !inside.includes(name))))
    const weights = weightsOf(trained.encoder, rest)
    const description = describe(weights, 32, { outputs: ['features', 'embedding', 'logits'] })
    for (const [precision, limit] of [
      ['fp32', 1e-4],
      ['fp16', 1e-2],
    ] as const) {
      const results = await runOnnx(
        encoderOnnx(weights, description, { precision, temperature }),
        images,
        shape,
      )
      expect(Object.keys(results)).toEqual(['features', 'embedding', 'logits'])
      const embedding = valuesOf(() => trained.forward(fromTypedArray(images, shape)))
      const logits = valuesOf(() => prototypes.logits(trained.forward(fromTypedArray(images, shape))))
      expect(results.embedding!.dims).toEqual([3, 24])
      expect(results.logits!.dims).toEqual([3, 7])
      expect(error(results.embedding!.data, embedding)).toBeLessThan(limit)
      expect(error(results.logits!.data, logits)).toBeLessThan(limit)
    }
    expect(() => encoderOnnx(weights, description)).toThrow('need the temperature')
  },
)

test("torchvision's classifier is linear on the features; what is not there is named", async () => {
  const generator = new Generator(3)
  const encoder: Encoder = worn(createEncoder('resnet18', { generator, stem: 'small' }))
  const fc = new Linear(512, 10, { generator })
  const weights = weightsOf(encoder, rawTensors(fc.stateDict('module.fc')))
  const description = describe(weights, 32, { outputs: ['features', 'logits'] })
  const { logits } = await runOnnx(encoderOnnx(weights, description), images, shape)
  const expected = valuesOf(() => fc.forward(encoder.forward(fromTypedArray(images, shape))))
  expect(logits!.dims).toEqual([3, 10])
  expect(error(logits!.data, expected)).toBeLessThan(1e-4)
  expect(() => encoderOnnx({ ...weights, rest: new Map() }, description)).toThrow(
    'the weights have no classifier or prototypes, which makes logits',
  )
  const embedding = describe(weights, 32, { outputs: ['features', 'embedding'] })
  expect(() => encoderOnnx(weights, embedding)).toThrow(
    'the weights have no projector, which makes embedding',
  )
})
