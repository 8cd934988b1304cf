import type { RawTensor } from 'trex-torch/safetensors'
import { TrexError } from '../errors.js'
import { fromBfloat16, fromFloat16 } from './float16.js'

/**
 * The elements of a floating-point tensor, a view where they are float32 already.
 * @throws TrexError naming the tensor when it holds something else
 */
export function floats(name: string, { dtype, data }: RawTensor): Float32Array {
  switch (dtype) {
    case 'F32':
      return new Float32Array(...placed(data, 4))
    case 'F64':
      return Float32Array.from(new Float64Array(...placed(data, 8)))
    case 'F16':
      return fromFloat16(new Uint16Array(...placed(data, 2)))
    case 'BF16':
      return fromBfloat16(new Uint16Array(...placed(data, 2)))
    default:
      throw new TrexError(`${name} holds ${dtype}, not floating-point numbers`, {
        hint: 'give the weights as they are trained, not quantised ones',
      })
  }
}

/** Buffer, offset and length for an array, whose elements must lie on multiples of their size. */
function placed(data: Uint8Array, size: number): [ArrayBufferLike, number, number] {
  const { buffer, byteOffset, byteLength } = data.byteOffset % size === 0 ? data : data.slice()
  return [buffer, byteOffset, byteLength / size]
}
