import { type Device, fromTypedArray, inPlaceOp, type Tensor, tensorOp, where } from 'trex-torch'

const scatterValue = inPlaceOp('aten::scatter_', 'value')
const scatterAdd = inPlaceOp('aten::scatter_add_')
const scatter = inPlaceOp('aten::scatter_', 'src')
const log1p = tensorOp('aten::log1p')
const softplus = tensorOp('aten::softplus')

/** A loss of logits [n, C] at one of their values. */
export interface LossPoint {
  /** Summed over rows (and, of several labels, over classes), in float64. */
  readonly value: number
  /** The probabilities [n, C]. */
  readonly p: Tensor
  /** The derivative by the logits [n, C]. */
  readonly residual: Tensor
}

/** A convex loss of logits with known targets. */
export interface LogitLoss {
  at(logits: Tensor): LossPoint
  /** The diagonal of the second derivative by the logits [n, C]. */
  curvature(point: LossPoint): Tensor
  /** The second derivative by the logits times a direction [n, C]. */
  product(point: LossPoint, direction: Tensor): Tensor
  dispose(): void
}

/** Cross-entropy of softmax with one label a row: sum_i -log softmax(z_i)[y_i]. */
export function softmaxLoss(labels: Int32Array, device: Device): LogitLoss {
  const y = fromTypedArray(BigInt64Array.from(labels, BigInt), [labels.length, 1], { device }).persist()
  return {
    at: (logits) => {
      const logP = logits.logSoftmax(1) // [n, C]
      const p = logP.exp()
      const residual = scatterValue(p.clone(), 1, y, 0)
      const others = residual.sum(1, true) // 1 - p[y], without its rounding [n, 1]
      scatterAdd(residual, 1, y, others.neg()) // p - one-hot(y)
      return { value: -logLikelihood(logP.gather(1, y), others).sum().item(), p, residual }
    },
    curvature: ({ p, residual }) =>
      scatter(p.neg().add(1).mul(p), 1, y, residual.gather(1, y).neg().mul(p.gather(1, y))),
    // (diag(p) - p p^T) u does not change when u moves by a constant; from u[y] = 0 it keeps its digits as p[y] nears 1.
    product: ({ p }, direction) => {
      const moved = direction.sub(direction.gather(1, y))
      return moved.sub(moved.mul(p).sum(1, true)).mul(p)
    },
    dispose: () => y.dispose(),
  }
}

/** Binary cross-entropy of every class by itself; targets [n, C] are 0 or 1. */
export function sigmoidLoss(targets: Uint8Array, classes: number, device: Device): LogitLoss {
  const n = targets.length / classes
  const sign = fromTypedArray(
    Float32Array.from(targets, (target) => (target ? -1 : 1)),
    [n, classes],
    {
      device,
    },
  ).persist() // -1 where the class is present
  return {
    at: (logits) => {
      const wrong = logits.mul(sign) // [n, C]
      const value = softplus(wrong).to('float64').sum().item()
      const p = wrong.sigmoid() // of the answer that is not the target
      return { value, p, residual: p.mul(sign) }
    },
    curvature: ({ p }) => p.neg().add(1).mul(p),
    product: ({ p }, direction) => p.neg().add(1).mul(p).mul(direction),
    dispose: () => sign.dispose(),
  }
}

/** log p[y] in float64: from 1 - p[y] where p[y] is near 1 and its own logarithm would be all rounding. */
function logLikelihood(logP: Tensor, others: Tensor): Tensor {
  const rest = others.to('float64') // [n, 1]
  return where(rest.lt(0.5), log1p(rest.neg()), logP.to('float64'))
}
