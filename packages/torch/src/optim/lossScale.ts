import { noGrad } from '../autograd.js'
import { empty, ones, where, zeros } from '../create.js'
import { valueOp } from '../dispatch.js'
import type { Tensor } from '../tensor/tensor.js'
import { tidy } from '../tidy.js'
import { allFinite } from './finite.js'
import { foreachMulTensor_ } from './foreach.js'

// The two kernels of loss scaling, which read and write on the device alone. libtorch has them for CUDA, and newer ones
// for CPUs; elsewhere plain operators do the same.

const aten = {
  unscale: valueOp('aten::_amp_foreach_non_finite_check_and_unscale_'),
  update: valueOp('aten::_amp_update_scale_'),
}

/** Scale and growth tracker: float32 [] and int32 []. */
export interface ScaleState {
  readonly scale: Tensor
  readonly growthTracker: Tensor
}

/** By how much the scale moves, and after how many good updates in a row. */
export interface ScaleRule {
  readonly growthFactor: number
  readonly backoffFactor: number
  readonly growthInterval: number
}

/** Divides gradients by the scale in place, and sets `foundInf` (float32 []) to 1 where one is not finite. */
export function unscaleGradients(grads: readonly Tensor[], scale: Tensor, foundInf: Tensor): void {
  if (!grads.length) return
  tidy(() =>
    noGrad(() => {
      const inverse = scale.to('float64').pow(-1).to('float32')
      if (!hasKernels(scale)) return unscalePlainly(grads, inverse, foundInf)
      const dtypes = grads.map((gradient) => gradient.dtype) // the kernel takes one at a time
      for (const dtype of new Set(dtypes))
        aten.unscale(
          grads.filter((_, i) => dtypes[i] === dtype),
          foundInf,
          inverse,
        )
    }),
  )
}

/** The same by plain operators. */
export function unscalePlainly(grads: readonly Tensor[], inverse: Tensor, foundInf: Tensor): void {
  foundInf.copy_(foundInf.maximum(allFinite(grads).logicalNot().to('float32')))
  foreachMulTensor_(grads, inverse)
}

/** Moves the scale after an update: down where `foundInf` is not 0, up after enough good ones in a row. */
export function updateScale(state: ScaleState, foundInf: Tensor, rule: ScaleRule): void {
  const { growthFactor, backoffFactor, growthInterval } = rule
  noGrad(() => {
    if (hasKernels(state.scale))
      aten.update(state.scale, state.growthTracker, foundInf, growthFactor, backoffFactor, growthInterval)
    else updatePlainly(state, foundInf, rule)
  })
}

/** The same by plain operators. */
export function updatePlainly(
  { scale, growthTracker }: ScaleState,
  foundInf: Tensor,
  { growthFactor, backoffFactor, growthInterval }: ScaleRule,
): void {
  tidy(() => {
    const scaled = (factor: number) => scale.to('float64').mul(factor).to('float32')
    const bad = foundInf.ne(0)
    const successes = growthTracker.add(1)
    const due = successes.eq(growthInterval)
    const larger = scaled(growthFactor)
    const grown = where(due.mul(larger.isfinite()), larger, scale) // it never grows out of float32
    growthTracker.copy_(successes.mul(due.logicalNot()).mul(bad.logicalNot()))
    scale.copy_(where(bad, scaled(backoffFactor), grown))
  })
}

let cpuKernels: boolean | undefined

function hasKernels({ device }: Tensor): boolean {
  return device === 'cpu' ? (cpuKernels ??= cpuHasKernels()) : true
}

function cpuHasKernels(): boolean {
  try {
    tidy(() => aten.unscale([empty([1])], zeros([]), ones([])))
    return true
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_TORCH') return false
    throw error
  }
}
