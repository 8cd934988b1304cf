import { zerosLike } from '../ops.js'
import type { Parameter, Tensor } from '../tensor/tensor.js'
import { foreachAdd, foreachAdd_, foreachMul_ } from './foreach.js'
import { Optimizer, type ParameterState } from './optimizer.js'
import { checkSetting, type GroupSettings, type ParameterGroup, parameterGroups } from './settings.js'

/** Settings of SGD; per group `lr` and `weightDecay` override these. */
export interface SgdOptions {
  /** The learning rate. */
  lr: number
  /** What is kept of the last steps' direction; 0 (the default) for none. */
  momentum?: number
  /** The factor of the L2 penalty's gradient; 0 unless said. */
  weightDecay?: number
}

/**
 * Stochastic gradient descent as in `torch.optim.SGD` without dampening or Nesterov:
 * g <- grad + wd * p; b <- g (first step) or momentum * b + g; p <- p - lr * b.
 */
export class SGD extends Optimizer {
  /** As in the options. */
  readonly momentum: number
  protected override readonly stateShapes = { momentumBuffer: 'parameter' } as const

  /** @throws RangeError, TypeError on a setting that is no finite number of at least 0. */
  constructor(params: readonly Parameter[] | readonly GroupSettings[], options: SgdOptions) {
    const { lr, momentum = 0, weightDecay = 0 } = options
    checkSetting('momentum', momentum)
    super(parameterGroups(params, { lr, weightDecay }))
    this.momentum = momentum
  }

  protected override fresh(parameter: Parameter): ParameterState {
    return this.momentum ? { momentumBuffer: zerosLike(parameter).persist() } : {}
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
