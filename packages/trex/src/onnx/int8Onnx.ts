import type { EncoderWeights } from '../checkpoints/encoderWeights.js'
import { DESCRIPTION_KEY, type ModelDescription } from '../checkpoints/modelDescription.js'
import { TrexError } from '../errors.js'
import { type Observer, observeChannels, observeValues } from './activationRange.js'
import { encoderGraph, INPUT_NAME, type OnnxOptions } from './encoderOnnx.js'
import type { OnnxGraph } from './graph.js'
import { nodeRuntime } from './nodeRuntime.js'
import { addendsOf, quantizeAddends } from './quantizeAddends.js'
import { linearInputs, quantizeLinear } from './quantizeLinear.js'
import type { ImageBatch } from './verifyOnnx.js'
import { writeModel } from './writeModel.js'

/**
 * An ONNX file as `encoderOnnx` makes it, a quarter of its size: weights of convolutions and linear maps are int8, with
 * steps of its own for each output channel. With images of the kind the model is for (a hundred are enough) activations
 * are uint8 in the ranges that they have on them, found by running the float32 model in onnxruntime-node, and runtimes
 * compute in integers. With null activations stay float32, which is closer and not faster. Input, outputs, projector and
 * classifier are float32.
 * @throws TrexError as `encoderOnnx` does, when onnxruntime-node is not installed, and for no images
 */
export async function int8Onnx(
  weights: EncoderWeights,
  description: ModelDescription,
  calibration: Iterable<ImageBatch> | null,
  options: Omit<OnnxOptions, 'precision'> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const graph = encoderGraph(weights, description, options)
  const quantized = calibration ? await withActivations(graph, calibration) : quantizeLinear(graph, new Map())
  return writeModel(quantized, { [DESCRIPTION_KEY]: JSON.stringify(description) })
}

async function withActivations(graph: OnnxGraph, calibration: Iterable<ImageBatch>): Promise<OnnxGraph> {
  const inputs = new Map(linearInputs(graph).map((name) => [name, observeValues()]))
  const addends = new Map(addendsOf(graph).map((name) => [name, observeChannels()]))
  await observe(graph, [...inputs, ...addends], calibration)
  const ranges = <T>(observers: ReadonlyMap<string, Observer<T>>) =>
    new Map([...observers].map(([name, observer]) => [name, observer.range()]))
  return quantizeLinear(quantizeAddends(graph, ranges(addends)), ranges(inputs))
}

/** Shows observers the activations they are named for. */
async function observe(
  graph: OnnxGraph,
  observers: readonly (readonly [name: string, observer: Pick<Observer<unknown>, 'add'>])[],
  batches: Iterable<ImageBatch>,
): Promise<void> {
  const outputs = observers.map(([name]) => ({ name, type: 'float32' }) as const)
  const computed = outputs.filter(({ name }) => name !== INPUT_NAME)
  const { InferenceSession, Tensor } = await nodeRuntime()
  const session = await InferenceSession.create(writeModel({ ...graph, outputs: computed }))
  let count = 0
  for (const { images, shape } of batches) {
    const input = new Tensor('float32', images, shape)
    const values: Record<string, { data: unknown; dims: readonly number[] }> = {
      ...(await session.run({ [INPUT_NAME]: input })),
      [INPUT_NAME]: input,
    }
    for (const [name, observer] of observers)
      observer.add(values[name]!.data as Float32Array, values[name]!.dims)
    count += shape[0]
  }
  await session.release()
  if (count === 0)
    throw new TrexError('int8 needs images by which the ranges of activations are chosen', {
      hint: 'give a hundred of the kind the model is for',
    })
}
