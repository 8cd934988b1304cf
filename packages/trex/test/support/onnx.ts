import { InferenceSession, Tensor } from 'onnxruntime-node'
import { Generator, noGrad, randn, type Tensor as TorchTensor, tidy } from 'trex-torch'
import type { RawTensor } from 'trex-torch/safetensors'
import { describeEncoder } from '../../src/checkpoints/describeEncoder.js'
import { kindsIn } from '../../src/checkpoints/encoderKind.js'
import type { EncoderWeights } from '../../src/checkpoints/encoderWeights.js'
import type { ModelDescription } from '../../src/checkpoints/modelDescription.js'
import type { Encoder } from '../../src/method/encoder.js'

/** Batch norms, layer norms and biases that are not those of the start, so that leaving one out shows. */
export function worn(encoder: Encoder, seed = 5): Encoder {
  const generator = new Generator(seed)
  tidy(() =>
    noGrad(() => {
      for (const [name, tensor] of encoder.stateDict()) {
        const noise = () => randn([...tensor.shape], { generator }).mul(0.2)
        if (/running_var$|((bn|norm)\d?|downsample\.1)\.weight$/.test(name)) tensor.copy_(noise().exp())
        else if (/running_mean$|bias$/.test(name)) tensor.copy_(noise())
      }
    }),
  )
  return encoder.eval() as Encoder
}

/** A state dict as it comes from a file. */
export function rawTensors(state: ReadonlyMap<string, TorchTensor>): Map<string, RawTensor> {
  return new Map(
    [...state].map(([name, tensor]) => {
      const { buffer, byteOffset, byteLength } = tensor.toTypedArray()
      const dtype = tensor.dtype === 'int64' ? 'I64' : 'F32'
      return [name, { dtype, shape: tensor.shape, data: new Uint8Array(buffer, byteOffset, byteLength) }]
    }),
  )
}

/** An encoder's weights as a reader of checkpoints gives them. */
export function weightsOf(encoder: Encoder, rest: EncoderWeights['rest'] = new Map()): EncoderWeights {
  const tensors = rawTensors(encoder.stateDict())
  const { kinds } = kindsIn([{ path: '', tensors }])
  return { kind: kinds[0]!, tensors, rest }
}

/** A description for images of a side. */
export const describe = (
  { kind }: EncoderWeights,
  imageSize: number,
  more: Partial<ModelDescription> = {},
): ModelDescription => ({ ...describeEncoder(kind, { imageSize }), ...more })

/** What a model gives for images [N, 3, H, W], by the names of its outputs. */
export async function runOnnx(
  bytes: Uint8Array,
  images: Float32Array,
  shape: readonly number[],
): Promise<Record<string, { data: Float32Array; dims: readonly number[] }>> {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 })
  const results = await session.run({ [session.inputNames[0]!]: new Tensor('float32', images, shape) })
  await session.release()
  return Object.fromEntries(
    Object.entries(results).map(([name, { data, dims }]) => [name, { data: data as Float32Array, dims }]),
  )
}
