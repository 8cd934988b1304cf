import { fromTypedArray, type Module, type Tensor } from 'trex-torch'
import { fillValue } from './fill.js'

/** The golden runs' suffixes, and the dtype to compute in to be compared with them. */
export const precisions = [
  ['f32', 'float32'],
  ['f64', 'float64'],
] as const

const filled = new Map<string, Float32Array>()

/** The deterministic weights of a golden model under `prefix`, by the module's own state-dict keys. */
export function filledState(
  module: Module,
  prefix: string,
  buffers: 'random' | 'default',
  goldenName: (key: string) => string = (key) => key,
): Map<string, Tensor> {
  const entries = [...module.stateDict()].map(([key, own]): [string, Tensor] => {
    if (own.dtype === 'int64') return [key, fromTypedArray(new BigInt64Array(own.numel), own.shape)]
    const shaped = `${prefix}${goldenName(key)} [${own.shape}]`
    const known = filled.get(shaped) ?? fillValue(prefix, goldenName(key), own.shape, buffers)
    filled.set(shaped, known)
    return [key, fromTypedArray(known, own.shape)]
  })
  return new Map(entries)
}

/** The elements, row-major, as float64. */
export function valuesOf(tensor: Tensor): Float64Array {
  const values = tensor.toTypedArray()
  return values instanceof BigInt64Array ? Float64Array.from(values, Number) : new Float64Array(values)
}

/** The gradient's elements. @throws Error when there is none. */
export function gradientOf(tensor: Tensor): Float64Array {
  using gradient = tensor.grad
  if (!gradient) throw new Error(`${tensor} has no gradient`)
  return valuesOf(gradient)
}
