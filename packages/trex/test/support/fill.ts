import { det } from './det.js'

/** Scale and bias of a weight's numbers, by its state-dict key and shape. */
function rule(key: string, shape: readonly number[], buffers: 'random' | 'default'): [number, number] {
  const random = buffers === 'random'
  if (key.endsWith('running_mean')) return [random ? 0.1 : 0, 0]
  if (key.endsWith('running_var')) return [random ? 0.5 : 0, 1]
  if (key.endsWith('.bias')) return [0.1, 0]
  if (shape.length === 4) return [Math.sqrt(6 / (shape[1]! * shape[2]! * shape[3]!)), 0]
  if (shape.length === 3) return [0.5, 0]
  if (shape.length === 2) return [Math.sqrt(3 / shape[1]!), 0]
  if (key.endsWith('bn3.weight')) return [0.05, 0.25]
  if (shape.length === 1) return [0.2, 1]
  throw new RangeError(`no filling rule for ${key} of shape [${shape}]`)
}

/** The value a golden model has under a state-dict key; `prefix` is the model's ('r18.', 'e.model.', ...). */
export function fillValue(
  prefix: string,
  key: string,
  shape: readonly number[],
  buffers: 'random' | 'default',
): Float32Array {
  const [scale, bias] = rule(key, shape, buffers)
  return det(prefix + key, shape, scale, bias)
}
