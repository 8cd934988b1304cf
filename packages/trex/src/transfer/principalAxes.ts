import { type Tensor, tensorsOp } from 'trex-torch'

const svd = tensorsOp('aten::linalg_svd')

/** Features in the coordinates of their principal axes: x = mean + coordinates @ axes. */
export interface PrincipalAxes {
  /** [n, r], r = min(n, d). */
  readonly coordinates: Tensor
  /** [d] */
  readonly mean: Tensor
  /** Orthonormal rows [r, d]. */
  readonly axes: Tensor
  /** The sum of squares of each coordinate over the rows [r]. */
  readonly energy: Tensor
}

/** Centres features [n, d] and rotates them to their principal axes; nothing is cut off. */
export function principalAxes(features: Tensor): PrincipalAxes {
  const mean = features.mean(0) // [d]
  const [u, s, axes] = svd(features.sub(mean), false) as [Tensor, Tensor, Tensor] // [n, r], [r], [r, d]
  return { coordinates: u.mul(s), mean, axes, energy: s.mul(s) }
}
