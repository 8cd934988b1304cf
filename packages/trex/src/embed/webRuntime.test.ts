import { expect, test } from 'vitest'
import { draftGraph } from '../onnx/graph.js'
import { writeModel } from '../onnx/writeModel.js'
import { openOnnxRuntime } from './onnxRuntime.js'
import { checkAgrees } from './webRuntime.js'

/** Pixels times a factor each. */
async function scaled(factor: (pixel: number) => number) {
  const g = draftGraph('float32')
  const flat = g.node('flat', 'Flatten', ['images'], { axis: 1 })
  const factors = g.float32('factors', [48], () => Float32Array.from({ length: 48 }, (_, i) => factor(i)))
  const features = g.node('features', 'Mul', [flat, factors])
  const graph = g.finish(
    [{ name: 'images', type: 'float32', dims: ['batch', 3, 4, 4] }],
    [{ name: features, type: 'float32', dims: ['batch', 48] }],
  )
  return openOnnxRuntime(writeModel(graph), 'test.onnx', { threads: 1 })
}

test('a device is refused whose features are off by more than a hundredth of their length, or no numbers', async () => {
  const reference = await scaled(() => 1)
  const differ = /computes other features/
  await checkAgrees(await scaled(() => 1.009), reference, 4)
  await expect(checkAgrees(await scaled(() => 1.011), reference, 4)).rejects.toThrow(differ)
  await expect(checkAgrees(await scaled((i) => (i === 20 ? 0 : 1)), reference, 4)).rejects.toThrow(differ)
  await expect(checkAgrees(await scaled((i) => (i ? 1 : Number.NaN)), reference, 4)).rejects.toThrow(differ)
})
