import { bestDevice, EngineError, engineInfo, fromTypedArray, noGrad, setNumThreads, tidy } from 'trex-torch'
import { floatsOf } from '../checkpoints/castTensor.js'
import { TrexError } from '../errors.js'
import { createEncoder, type Encoder } from '../method/encoder.js'
import { featureNet } from '../method/featureNet.js'
import { imageTensor } from '../method/imageTensor.js'
import type { Precision } from '../method/precision.js'
import type { WeightsModel } from './model.js'
import { hasOnnxRuntime } from './onnxRuntime.js'
import type { FeatureSession } from './session.js'

const DTYPES = { fp32: null, bf16: 'bfloat16', fp16: 'float16' } as const

/** How libtorch computes. */
export interface LibtorchOptions {
  readonly precision: keyof typeof DTYPES
  readonly threads?: number | undefined
}

/**
 * The features of weights by libtorch, which is loaded here: on CUDA where it has it, else on the CPU.
 * @throws TrexError when it is not set up, or does not compute in that precision.
 */
export function openLibtorch(
  { weights: { kind, tensors }, description }: WeightsModel,
  { precision: wanted, threads }: LibtorchOptions,
): FeatureSession & { readonly engine: string } {
  const device = deviceOf(wanted)
  const precision: Precision = { device, dtype: DTYPES[wanted] }
  if (threads !== undefined) setNumThreads(threads)
  const { encoder: name, stem, imageSize } = kind
  const encoder = createEncoder(name, {
    ...(stem && { stem }),
    ...(description.vit && { vit: description.vit }),
    imageSize: imageSize ?? description.preprocess.crop,
  })
  try {
    copyWeights(encoder, tensors)
    encoder.to({ device, memoryFormat: 'channelsLast' }).eval()
    const net = featureNet(encoder, precision)
    const { featureDim } = encoder
    const { mean, std } = description.preprocess
    return {
      outputs: ['features'],
      engine: `libtorch ${engineInfo().version}, ${device}${wanted === 'fp32' ? '' : `, ${wanted}`}`,
      async run(images, size) {
        const batch = { images, size, normalization: { mean, std } }
        const features = tidy(
          () => net.forward(imageTensor(batch, { precision, channelsLast: true })).toFloat32Array(), // [B, D]
        )
        return { features, shape: [size, featureDim] }
      },
      async release() {
        net[Symbol.dispose]()
        encoder.dispose()
      },
    }
  } catch (error) {
    encoder.dispose()
    throw error
  }
}

function deviceOf(precision: keyof typeof DTYPES): Precision['device'] {
  let device: Precision['device']
  try {
    device = bestDevice()
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause
    throw new TrexError(`libtorch cannot be used: ${cause.message}`, {
      hint: hasOnnxRuntime()
        ? 'set it up (docs/install.md), or use the engine onnxruntime'
        : 'npm install onnxruntime-node is enough for all but bf16; or set up libtorch (docs/install.md)',
      cause,
    })
  }
  if (precision === 'fp16' && device === 'cpu')
    throw new TrexError('libtorch does not compute fp16 on a CPU', { hint: 'use bf16 or fp32' })
  return device
}

function copyWeights(encoder: Encoder, tensors: WeightsModel['weights']['tensors']): void {
  tidy(() =>
    noGrad(() => {
      for (const [name, target] of encoder.stateDict()) {
        const raw = tensors.get(name)
        if (raw && !name.endsWith('num_batches_tracked'))
          // which no evaluation reads
          target.copy_(fromTypedArray(floatsOf(raw), raw.shape))
      }
    }),
  )
}
