/** The squared distortion of Yu et al. 2020 ("Learning Diverse and Discriminative Representations", MCR^2). */
export const YU_EPS_SQUARED = 0.5

/**
 * The coding length of features up to a distortion, in nats: R(Z, eps) = 1/2 ln det(I + D / (N eps^2) Z^T Z).
 * @param singularValues of Z / sqrt(N), as `featureSpectrum` gives them
 * @param dim D
 * @param epsSquared above 0
 */
export function codingLength(singularValues: Float64Array, dim: number, epsSquared: number): number {
  let sum = 0
  for (const value of singularValues) sum += Math.log1p((dim / epsSquared) * value * value)
  return sum / 2
}
