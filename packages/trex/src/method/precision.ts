import { autocast, type Device } from 'trex-torch'

/** Where a model computes and in which precision; `dtype` null is plain float32. */
export interface Precision {
  readonly device: Device
  readonly dtype: 'bfloat16' | 'float16' | null
}

/** Runs a forward pass under the precision's autocast, or plainly in fp32. */
export function withPrecision<T>({ device, dtype }: Precision, body: () => T): T {
  return dtype ? autocast({ device, dtype }, body) : body()
}
