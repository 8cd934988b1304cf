import { type Device, fromTypedArray, type Tensor, tidy } from 'trex-torch'
import type { Precision } from './precision.js'

/** How image tensors are laid out for the encoder. */
export interface ImageTarget {
  readonly precision: Precision
  readonly channelsLast: boolean
}

/** Square RGB images: normalised values [size, 3, S, S], or bytes [size, S, S, 3] that are to be normalised. */
export interface ImageBatch {
  readonly images: Float32Array | Uint8Array
  readonly size: number
  readonly normalization: Normalization
}

/** Mean and standard deviation of each channel, for values in 0..1. */
interface Normalization {
  readonly mean: readonly [number, number, number]
  readonly std: readonly [number, number, number]
}

/** The images that `imageTensor` takes fastest: towards a GPU the main thread copies them, and bytes are a quarter. */
export const pixelsFor = (device: Device): 'float32' | 'uint8' => (device === 'cpu' ? 'float32' : 'uint8')

/** Normalised images [N, 3, S, S] as a tensor on the run's device; the array is only read until it returns. */
export function imageTensor(
  { images, size, normalization }: ImageBatch,
  { precision: { device }, channelsLast }: ImageTarget,
): Tensor {
  const side = Math.sqrt(images.length / (3 * size))
  const share = images.buffer instanceof SharedArrayBuffer
  const memoryFormat = channelsLast ? 'channelsLast' : 'contiguous'
  return tidy(() => {
    if (images instanceof Uint8Array) {
      const bytes = sent(fromTypedArray(images, [size, side, side, 3], { share }), device) // [N, S, S, 3]
      const values = bytes.permute(0, 3, 1, 2).to({ dtype: 'float32', memoryFormat }) //      [N, 3, S, S]
      return normalize(values, normalization)
    }
    const values = fromTypedArray(images, [size, 3, side, side], { share }) // [N, 3, S, S]
    const there = sent(values, device).to({ memoryFormat })
    return there === values && share ? values.clone() : there
  })
}

/**
 * (x / 255 - mean) / std of values 0..255 [N, 3, S, S], in place: to the bit what the data workers compute. All divisors
 * are tensors on the device, since CUDA multiplies by the reciprocal of a number.
 */
function normalize(x: Tensor, { mean, std }: Normalization): Tensor {
  const rows = sent(fromTypedArray(Float32Array.of(255, 255, 255, ...mean, ...std), [3, 3, 1, 1]), x.device)
  return x.div_(rows.select(0, 0)).sub_(rows.select(0, 1)).div_(rows.select(0, 2)) // [N, 3, S, S]
}

/** Labels [B] as an int64 tensor on the run's device. */
export function labelTensor(labels: BigInt64Array, { precision }: ImageTarget): Tensor {
  return sent(fromTypedArray(labels, [labels.length]), precision.device)
}

/** A tensor on the device; towards CUDA it goes through pinned memory, so that the host does not wait for the copy. */
function sent(x: Tensor, device: Device): Tensor {
  return device === 'cpu' ? x : x.pinMemory().to({ device, nonBlocking: true })
}
