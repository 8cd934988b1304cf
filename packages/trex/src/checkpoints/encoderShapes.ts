import {
  type ResNetName,
  resnetArchitectures,
  VIT_DEPTH,
  type ViTName,
  vitArchitectures,
} from '../method/architectures.js'
import type { EncoderKind } from './encoderKind.js'

/** Names and shapes of an encoder's tensors, in the order of its state dict: torchvision's names, and DINO's. */
export function encoderShapes(kind: EncoderKind): Map<string, readonly number[]> {
  const { encoder } = kind
  return new Map(
    encoder in resnetArchitectures
      ? resnetShapes(encoder as ResNetName, kind)
      : vitShapes(encoder as ViTName, kind),
  )
}

type Named = [name: string, shape: readonly number[]]

function* resnetShapes(encoder: ResNetName, { stem }: EncoderKind): Generator<Named> {
  const { block, depths } = resnetArchitectures[encoder]
  const expansion = block === 'basic' ? 1 : 4
  const side = stem === 'small' ? 3 : 7
  yield ['conv1.weight', [64, 3, side, side]]
  yield* batchNorm('bn1', 64)
  let before = 64
  for (const [stage, depth] of depths.entries()) {
    const width = 64 << stage
    for (let i = 0; i < depth; i++) {
      const name = `layer${stage + 1}.${i}`
      const kernels = block === 'basic' ? [3, 3] : [1, 3, 1]
      let input = before
      for (const [k, kernel] of kernels.entries()) {
        const output = k === 2 ? width * expansion : width
        yield [`${name}.conv${k + 1}.weight`, [output, input, kernel, kernel]]
        yield* batchNorm(`${name}.bn${k + 1}`, output)
        input = output
      }
      if (before !== input || (i === 0 && stage > 0)) {
        yield [`${name}.downsample.0.weight`, [input, before, 1, 1]]
        yield* batchNorm(`${name}.downsample.1`, input)
      }
      before = input
    }
  }
}

function* batchNorm(name: string, width: number): Generator<Named> {
  for (const part of ['weight', 'bias', 'running_mean', 'running_var']) yield [`${name}.${part}`, [width]]
  yield [`${name}.num_batches_tracked`, []]
}

function* vitShapes(encoder: ViTName, { patchSize = 16, imageSize }: EncoderKind): Generator<Named> {
  const { width } = vitArchitectures[encoder]
  const grid = (imageSize ?? 224) / patchSize
  const layer = function* (name: string, shape: number[], biases = shape[0]!): Generator<Named> {
    yield [`${name}.weight`, shape]
    yield [`${name}.bias`, [biases]]
  }
  yield ['cls_token', [1, 1, width]]
  yield ['pos_embed', [1, 1 + grid * grid, width]]
  yield* layer('patch_embed.proj', [width, 3, patchSize, patchSize])
  for (let i = 0; i < VIT_DEPTH; i++) {
    const name = `blocks.${i}`
    yield* layer(`${name}.norm1`, [width])
    yield* layer(`${name}.attn.qkv`, [3 * width, width])
    yield* layer(`${name}.attn.proj`, [width, width])
    yield* layer(`${name}.norm2`, [width])
    yield* layer(`${name}.mlp.fc1`, [4 * width, width])
    yield* layer(`${name}.mlp.fc2`, [width, 4 * width])
  }
  yield* layer('norm', [width])
}
