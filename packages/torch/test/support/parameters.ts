import { fromTypedArray, Parameter } from '../../src/index.js'

/** A parameter of these float64 values. */
export const parameter = (data: readonly number[]): Parameter =>
  new Parameter(fromTypedArray(Float64Array.from(data), [data.length]))

/** Sets a parameter's gradient. */
export function setGrad(target: Parameter, data: readonly number[]): void {
  target.grad = fromTypedArray(Float64Array.from(data), [data.length])
}

/** d/dp of sum_i (i + 1) sin(p_i), in float64. */
export const slope = (p: readonly number[]): number[] => p.map((v, i) => (i + 1) * Math.cos(v))
