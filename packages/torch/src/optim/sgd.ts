import type { Parameter, Tensor } from '../tensor/tensor.js'
import { foreachAdd, foreachAdd_, foreachMul_ } from './foreach.js'
import { Optimizer, type ParameterGroup } from './optimizer.js'

/** Settings of SGD; per group `lr` and `weightDecay` override these. */
export interface SgdOptions {
  lr: number
  momentum?: number
  weightDecay?: number
}

type GroupSettings = { params: readonly Parameter[]; lr?: number; weightDecay?: number }

/**
 * Stochastic gradient descent as in `torch.optim.SGD` without dampening or Nesterov:
 * g <- grad + wd * p; b <- g (first step) or momentum * b + g; p <- p - lr * b.
 */
export class SGD extends Optimizer {
  readonly momentum: number

  constructor(params: readonly Parameter[] | readonly GroupSettings[], options: SgdOptions) {
    const { lr, momentum = 0, weightDecay = 0 } = options
    super(parameterGroups(params, { lr, weightDecay }))
    this.momentum = momentum
  }

  protected override update(
    group: ParameterGroup,
    params: readonly Parameter[],
    grads: readonly Tensor[],
  ): void {
    const decayed = group.weightDecay ? foreachAdd(grads, params, group.weightDecay) : grads
    foreachAdd_(params, this.momentum ? this.momenta(params, decayed) : decayed, -group.lr)
  }

  /** Advances and returns the momentum buffers; the first one of a parameter is its gradient. */
  private momenta(params: readonly Parameter[], grads: readonly Tensor[]): Tensor[] {
    const old: Tensor[] = []
    const oldGrads: Tensor[] = []
    const buffers = params.map((parameter, i) => {
      const known = this.state.get(parameter)?.momentumBuffer
      if (known) {
        old.push(known)
        oldGrads.push(grads[i]!)
        return known
      }
      const momentumBuffer = grads[i]!.clone().persist()
      this.state.set(parameter, { momentumBuffer })
      return momentumBuffer
    })
    if (old.length) {
      foreachMul_(old, this.momentum)
      foreachAdd_(old, oldGrads)
    }
    return buffers
  }
}

/** One group of plain parameters, or groups whose missing settings are the defaults. */
export function parameterGroups(
  params: readonly Parameter[] | readonly GroupSettings[],
  defaults: { lr: number; weightDecay: number },
): ParameterGroup[] {
  const groups =
    params.length && 'params' in params[0]!
      ? (params as GroupSettings[])
      : [{ params: params as Parameter[] }]
  return groups.map((group) => ({ ...defaults, ...group }))
}
