import { type Tensor, tensorsOp } from 'trex-torch'

const eigh = tensorsOp('aten::linalg_eigh')
const qr = tensorsOp('aten::linalg_qr')

/** Features in the coordinates of their principal axes: x = mean + coordinates @ axes. */
export interface PrincipalAxes {
  /** [d] */
  readonly mean: Tensor
  /** Orthonormal rows [r, d], r = min(n, d). */
  readonly axes: Tensor
}

/** The mean and the principal axes of features [n, d], in their dtype; nothing is cut off. */
export function principalAxes(features: Tensor): PrincipalAxes {
  const mean = features.mean(0) // [d]
  const centred = features.sub(mean)
  if (features.size(0) >= features.size(1)) return { mean, axes: eigenvectors(centred).t().contiguous() }
  const [basis, r] = qr(centred.t()) as [Tensor, Tensor] // [d, n], [n, n]: fewer rows than features span n axes
  return { mean, axes: basis.matmul(eigenvectors(r.t())).t().contiguous() }
}

/** The eigenvectors of x^T x, in columns. */
const eigenvectors = (x: Tensor): Tensor => eigh(x.t().matmul(x))[1]!

/** Coordinates [n, r] of features [n, d]. */
export const coordinates = (features: Tensor, { mean, axes }: PrincipalAxes): Tensor =>
  features.sub(mean).matmul(axes.t())
