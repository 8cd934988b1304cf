import { noGrad } from '../autograd.js'
import { stack, zeros } from '../create.js'
import type { Parameter, Tensor } from '../tensor/tensor.js'
import { tidy } from '../tidy.js'
import { foreachMulTensor_, foreachNorm } from './foreach.js'
import { checkSetting } from './settings.js'

/**
 * Scales gradients down where their 2-norm, over all parameters together, is larger than `maxNorm`, as
 * `torch.nn.utils.clip_grad_norm_`. The host waits for nothing. A norm that is not finite makes them NaN or 0: with a
 * `GradScaler` the step is skipped then.
 * @returns the norm before [], on the gradients' device; 0 without gradients
 * @throws RangeError, TypeError when `maxNorm` is no finite number of at least 0.
 */
export function clipGradNorm_(parameters: readonly Parameter[], maxNorm: number): Tensor {
  checkSetting('maxNorm', maxNorm)
  return tidy(() =>
    noGrad(() => {
      const grads = parameters.flatMap((parameter) => parameter.grad ?? [])
      if (!grads.length) return zeros([])
      const norm = stack(foreachNorm(grads)).norm() // []
      foreachMulTensor_(grads, norm.add(1e-6).pow(-1).mul(maxNorm).clamp(null, 1))
      return norm
    }),
  )
}
