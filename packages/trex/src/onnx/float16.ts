import { castTensor, floatsOf } from '../checkpoints/castTensor.js'

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** The bits of halves, rounded to nearest, ties to even; what is too large becomes infinite. */
export function toFloat16(values: Float32Array): Uint16Array {
  const { data } = castTensor({ dtype: 'F32', shape: [values.length], data: bytesOf(values) }, 'F16')
  return new Uint16Array(data.buffer, data.byteOffset, values.length)
}

/** The exact value of each half. */
export const fromFloat16 = (halves: Uint16Array): Float32Array =>
  floatsOf({ dtype: 'F16', shape: [halves.length], data: bytesOf(halves) })
