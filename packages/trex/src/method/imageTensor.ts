import { fromTypedArray, type Tensor } from 'trex-torch'
import type { Precision } from './precision.js'

/** How image tensors are laid out for the encoder. */
export interface ImageTarget {
  readonly precision: Precision
  readonly channelsLast: boolean
}

/** Square RGB images [N, 3, S, S] as a tensor on the run's device; the array is only read until it returns. */
export function imageTensor(
  values: Float32Array,
  images: number,
  { precision, channelsLast }: ImageTarget,
): Tensor {
  const side = Math.sqrt(values.length / (3 * images))
  const share = values.buffer instanceof SharedArrayBuffer
  const shared = fromTypedArray(values, [images, 3, side, side], { share })
  const memoryFormat = channelsLast ? 'channelsLast' : 'contiguous'
  if (precision.device === 'cuda') return sent(shared, precision.device).to({ memoryFormat })
  const moved = shared.to({ device: precision.device, memoryFormat })
  if (moved === shared && share) return shared.clone()
  return moved
}

/** Labels [B] as an int64 tensor on the run's device. */
export function labelTensor(labels: BigInt64Array, { precision }: ImageTarget): Tensor {
  return sent(fromTypedArray(labels, [labels.length]), precision.device)
}

/** A tensor on the device; towards CUDA it goes through pinned memory, so that the host does not wait for the copy. */
function sent(x: Tensor, device: Precision['device']): Tensor {
  return device === 'cuda' ? x.pinMemory().to({ device, nonBlocking: true }) : x.to(device)
}
