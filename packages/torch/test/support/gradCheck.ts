import { fromTypedArray, grad, type Tensor, tidy } from 'trex-torch'

/**
 * Compares autograd with central differences. A result that is not a scalar is weighted by fixed numbers first.
 * @param fn computes a float64 tensor from `inputs`, the same one at every call
 * @param inputs float64 leaves that require a gradient; they may also reach `fn` by another way (a module's parameters)
 * @param step half the distance of the two evaluations
 * @returns for each input the largest difference, relative to the largest derivative of all inputs
 */
export function gradCheck(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  step = 2e-7,
): number[] {
  const evaluate = () => weightedSum(fn(...inputs))
  const analytic = tidy(() =>
    grad(evaluate(), inputs, { allowUnused: true }).map((g, i) =>
      g ? (g.toTypedArray() as Float64Array) : new Float64Array(inputs[i]!.numel),
    ),
  )
  const numeric = inputs.map((input) => {
    const values = input.toTypedArray() as Float64Array
    const at = (i: number, value: number) => {
      input.setData(values.with(i, value))
      return tidy(() => evaluate().item())
    }
    const derivative = values.map((value, i) => (at(i, value + step) - at(i, value - step)) / (2 * step))
    input.setData(values)
    return derivative
  })
  const scale = Math.max(...analytic.flatMap((values) => [...values].map(Math.abs)))
  return analytic.map(
    (values, k) => Math.max(...values.map((value, i) => Math.abs(value - numeric[k]![i]!))) / scale,
  )
}

/** The sum over elements times sin(1), sin(2), ... */
function weightedSum(y: Tensor): Tensor {
  if (y.dtype !== 'float64') throw new TypeError(`gradCheck needs float64, the function gave ${y.dtype}`)
  const weights = Float64Array.from({ length: y.numel }, (_, i) => Math.sin(i + 1))
  return y.mul(fromTypedArray(weights, y.shape)).sum()
}
