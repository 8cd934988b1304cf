import type { ReadWeight } from './weights.js'

/** PyTorch's default, which all encoders here use. */
const BATCH_NORM_EPS = 1e-5

/** Names of a layer and of the batch norm behind it, and the layer's shape: [out, in, ...]. */
export interface NormedLayer {
  readonly layer: string
  readonly norm: string
  readonly shape: readonly number[]
}

/** y = (W x - mean) / sqrt(var + eps) * weight + bias is a layer with another weight and bias; computed in float64. */
export function foldedWeight(read: ReadWeight, names: NormedLayer): Float32Array {
  const weight = read(`${names.layer}.weight`, names.shape)
  const { scale } = normLine(read, names)
  const row = weight.length / scale.length
  return weight.map((value, i) => value * scale[Math.trunc(i / row)]!)
}

/** The bias that goes with `foldedWeight`; `own`: the layer has one already. */
export function foldedBias(read: ReadWeight, names: NormedLayer, own = false): Float32Array {
  const { scale, shift } = normLine(read, names)
  const bias = own ? read(`${names.layer}.bias`, [scale.length]) : null
  return Float32Array.from(shift, (value, i) => value + (bias ? bias[i]! * scale[i]! : 0))
}

/** Scale and shift of each channel. */
function normLine(read: ReadWeight, { norm, shape }: NormedLayer) {
  const [weight, bias, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((name) =>
    Float64Array.from(read(`${norm}.${name}`, [shape[0]!])),
  ) as [Float64Array, Float64Array, Float64Array, Float64Array]
  const scale = weight.map((value, i) => value / Math.sqrt(variance[i]! + BATCH_NORM_EPS))
  return { scale, shift: bias.map((value, i) => value - mean[i]! * scale[i]!) }
}
