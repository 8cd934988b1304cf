import { F, noGrad, type Tensor, tensorOp, tidy, zeros } from 'trex-torch'
import { TrexError } from '../errors.js'
import { codingLength, YU_EPS_SQUARED } from './codingLength.js'

const eigenvalues = tensorOp('aten::linalg_eigvalsh')

/** How features fill their space. */
export interface FeatureSpectrum {
  /** Of the l2-normalised features divided by sqrt(N), descending [min(N, D)]: their squares add up to 1 at most. */
  readonly singularValues: Float64Array
  /** 1 to min(N, D): the exponential of the entropy of the singular values; 0 when all are 0. */
  readonly effectiveRank: number
  /** R(Z, eps) in nats with eps^2 = 0.5 (Yu et al. 2020). */
  readonly codingLength: number
}

/** Rows that are converted to float64 at a time. */
const BLOCK = 4096

/**
 * Singular values, effective rank (Roy & Vetterli 2007) and coding length (Yu et al. 2020) of l2-normalised features,
 * out of the eigenvalues of the smaller of Z^T Z and Z Z^T in float64.
 * @param features [N, D]
 * @param options center: subtract the mean of the normalised features
 * @throws TrexError when there are no features, or some are not finite.
 */
export function featureSpectrum(features: Tensor, { center = false } = {}): FeatureSpectrum {
  const [n, dim] = features.shape as [number, number]
  if (features.shape.length !== 2 || n === 0 || dim === 0)
    throw new TrexError(`features of shape [${features.shape}] have no spectrum`, {
      hint: 'give a matrix of one row an image',
    })
  const squares = noGrad(() =>
    tidy(() => {
      const matrix = gram(features, center)
      if (!matrix.isfinite().all().item())
        throw new TrexError('the features hold values that are not finite', {
          hint: 'the model has diverged: take an earlier checkpoint',
        })
      return eigenvalues(matrix).toTypedArray() as Float64Array
    }),
  )
  const singularValues = singularValuesOf(squares, Math.max(n, dim))
  const effectiveRank = effectiveRankOf(singularValues)
  return { singularValues, effectiveRank, codingLength: codingLength(singularValues, dim, YU_EPS_SQUARED) }
}

/** Z^T Z / N [D, D], or Z Z^T / N [N, N] where that is smaller, of rows normalised first and centred then. */
function gram(features: Tensor, center: boolean): Tensor {
  const [n, dim] = features.shape as [number, number]
  const rows = (from: number, count: number) => F.normalize(features.narrow(0, from, count).to('float64'))
  const blocks = Array.from(
    { length: Math.ceil(n / BLOCK) },
    (_, i) => [i * BLOCK, Math.min(BLOCK, n - i * BLOCK)] as const,
  )
  const mean = zeros([dim], { dtype: 'float64', device: features.device })
  if (center) for (const [from, count] of blocks) tidy(() => void mean.add_(rows(from, count).sum(0).div(n)))
  if (n < dim) {
    const z = rows(0, n).sub(mean) // [N, D]
    return z.matmul(z.t()).div(n) // [N, N]
  }
  const sum = zeros([dim, dim], { dtype: 'float64', device: features.device })
  for (const [from, count] of blocks)
    tidy(() => {
      const z = rows(from, count).sub(mean) // [count, D]
      sum.add_(z.t().matmul(z).div(n))
    })
  return sum // [D, D]
}

/** Square roots, largest first; squares below what rounding makes of zero are zero. */
function singularValuesOf(squares: Float64Array, side: number): Float64Array {
  const largest = Math.max(0, ...squares.subarray(-1)) // eigvalsh sorts them
  const rounding = largest * side * Number.EPSILON
  return squares.map((square) => (square <= rounding ? 0 : Math.sqrt(square))).reverse()
}

/** exp(H(p)), p the singular values divided by their sum. */
function effectiveRankOf(singularValues: Float64Array): number {
  const sum = singularValues.reduce((a, b) => a + b, 0)
  if (sum === 0) return 0
  let entropy = 0
  for (const value of singularValues) if (value > 0) entropy -= (value / sum) * Math.log(value / sum)
  return Math.exp(entropy)
}
