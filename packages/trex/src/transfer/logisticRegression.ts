import { type Device, fromTypedArray, inPlaceOp, keep, noGrad, ones, type Tensor, tidy, zeros, cat, full } from 'trex-torch'
import type { FeatureSet } from './featureSet.js'
import { type LbfgsStop, lbfgs } from './lbfgs.js'
import { type PrincipalAxes, principalAxes } from './principalAxes.js'

const scatterAdd = inPlaceOp('aten::scatter_add_')

export interface LogisticProblemOptions {
  readonly dtype?: 'float64' | 'float32'
  readonly device?: Device
  readonly stopping?: 'converged' | 'original'
}
export interface LogisticFitOptions {
  readonly C: number
  readonly start?: Pick<LogisticModel, 'weight' | 'bias'>
  readonly maxIterations?: number
  readonly tolerance?: number
}
export interface LogisticModel {
  readonly weight: Float64Array
  readonly bias: Float64Array
  readonly objective: number
  readonly iterations: number
  readonly converged: boolean
  readonly stop: LbfgsStop
}

export function proto(
  { features, dim, labels }: FeatureSet,
  classes: number,
  { dtype = 'float64', pre = true, rotate = true }: any = {},
) {
  const n = labels.length
  return tidy(() =>
    noGrad(() => {
      const x = fromTypedArray(features, [n, dim]).to('float64')
      const t0 = performance.now()
      const pa = rotate ? principalAxes(x) : { coordinates: x, energy: x.mul(x).sum(0), mean: zeros([dim], { dtype: 'float64' }), axes: null }
      const svdMs = performance.now() - t0
      const r = pa.coordinates.size(1)
      const inputs = keep(cat([pa.coordinates, ones([n, 1], { dtype: 'float64' })], 1).to(dtype))
      const energy = keep(pa.energy.clone())
      const column = keep(fromTypedArray(BigInt64Array.from(labels, BigInt), [n, 1]))
      const minus = keep(full([n, 1], -1, { dtype }))
      let start = keep(zeros([r + 1, classes], { dtype: 'float64' }))
      const f = (C: number) => (theta: Tensor) => tidy(() => {
        const logP = inputs.matmul(theta.to(dtype)).logSoftmax(1)
        const ce = -logP.gather(1, column).to('float64').sum().item()
        const res = scatterAdd(logP.exp(), 1, column, minus)
        const gradient = inputs.t().matmul(res).to('float64')
        const W = theta.narrow(0, 0, r)
        gradient.narrow(0, 0, r).add_(W, 1 / C)
        return { value: ce + W.mul(W).sum().item() / (2 * C), gradient }
      })
      const scale = tidy(() => f(1)(start).gradient.abs().max().item())
      return {
        svdMs,
        scale,
        fit(C: number, opts: any = {}) {
          const s = opts.start ?? start
          return tidy(() => noGrad(() => {
            const P = inputs.matmul(s.to(dtype)).softmax(1)
            const kappa = Math.max(1e-12, 1 / classes - P.mul(P).mean().item())
            const diag = cat([energy.mul(kappa).add(1 / C), full([1], kappa * n, { dtype: 'float64' })]).unsqueeze(1)
            return { kappa, ...lbfgs(f(C), s, {
              gradientTolerance: scale * (opts.tol ?? 1e-6),
              maxIterations: opts.maxIterations ?? 2000,
              valueError: dtype === 'float32' ? 1e-6 : 1e-14,
              precondition: pre ? (v) => v.div(diag) : undefined,
            }) }
          }))
        },
      }
    }),
  )
}
