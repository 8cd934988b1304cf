import {
  cat,
  type Device,
  fromTypedArray,
  full,
  inPlaceOp,
  keep,
  noGrad,
  type Tensor,
  tensorOp,
  tidy,
  where,
} from 'trex-torch'

const scatterValue = inPlaceOp('aten::scatter_', 'value')
const scatterAdd = inPlaceOp('aten::scatter_add_')
const log1p = tensorOp('aten::log1p')

/** The loss of softmax regression on fixed inputs; parameters theta [(r + 1) * classes], the bias row last. */
export interface SoftmaxLoss {
  /** The sum of the rows' cross-entropies, and its gradient. */
  evaluate(theta: Float64Array): { value: number; gradient: Float64Array }
  /** The mean of p (1 - p) over rows and classes: how curved the loss is. */
  curvature(theta: Float64Array): number
  dispose(): void
}

/** Puts inputs [n, r] with their labels on the device. Matrix products are in `dtype`, sums of losses in float64. */
export function softmaxLoss(
  inputs: Tensor,
  labels: Int32Array,
  classes: number,
  { dtype, device }: { dtype: 'float64' | 'float32'; device: Device },
): SoftmaxLoss {
  const n = labels.length
  const held = tidy(() => {
    const bias = full([n, 1], 1, { dtype, device })
    return {
      x: keep(cat([inputs.to({ dtype, device }), bias], 1)), // [n, r + 1]
      column: keep(fromTypedArray(BigInt64Array.from(labels, BigInt), [n, 1], { device })), // [n, 1]
    }
  })
  const { x, column } = held
  const rows = x.size(1)
  const logProbabilities = (theta: Float64Array) =>
    x.matmul(fromTypedArray(theta, [rows, classes]).to({ dtype, device })).logSoftmax(1) // [n, C]
  return {
    evaluate: (theta) =>
      tidy(() =>
        noGrad(() => {
          const logP = logProbabilities(theta)
          const p = scatterValue(logP.exp(), 1, column, 0)
          const others = p.sum(1, true) // 1 - p[y], without its rounding [n, 1]
          const residual = scatterAdd(p, 1, column, others.neg()) // p - one-hot(y)  [n, C]
          const gradient = x.t().matmul(residual).to('float64') // [r + 1, C]
          const value = -logLikelihood(logP.gather(1, column), others).sum().item()
          return { value, gradient: gradient.toTypedArray() as Float64Array }
        }),
      ),
    curvature: (theta) =>
      tidy(() =>
        noGrad(() => {
          const p = logProbabilities(theta).exp()
          return Math.max(0, 1 / classes - p.mul(p).mean().item())
        }),
      ),
    dispose: () => {
      for (const tensor of Object.values(held)) tensor.dispose()
    },
  }
}

/** log p[y] in float64: from 1 - p[y] where p[y] is near 1 and its own logarithm would be all rounding. */
function logLikelihood(logP: Tensor, others: Tensor): Tensor {
  const rest = others.to('float64') // [n, 1]
  return where(rest.lt(0.5), log1p(rest.neg()), logP.to('float64'))
}
