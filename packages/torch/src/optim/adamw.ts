import { zeros } from '../create.js'
import { zerosLike } from '../ops.js'
import type { Parameter, Tensor } from '../tensor/tensor.js'
import {
  foreachAdd_,
  foreachAddcdiv_,
  foreachAddcmul_,
  foreachAddScalar_,
  foreachDiv_,
  foreachMul_,
  foreachSqrt,
} from './foreach.js'
import { Optimizer } from './optimizer.js'
import { checkSetting, type GroupSettings, type ParameterGroup, parameterGroups } from './settings.js'

/** Settings of AdamW; per group `lr` and `weightDecay` override these. */
export interface AdamWOptions {
  /** The learning rate; 0.001 unless said. */
  lr?: number
  /** How much of the averages of gradients and of their squares is kept at each step; in [0, 1). */
  betas?: readonly [number, number]
  /** Added to the root of the squares' average. */
  eps?: number
  /** Each step takes `lr * weightDecay` of the weights away; 0.01 unless said. */
  weightDecay?: number
}

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019), as in `torch.optim.AdamW`. */
export class AdamW extends Optimizer {
  private readonly betas: readonly [number, number]
  private readonly eps: number
  protected override readonly stateShapes = {
    step: 'scalar',
    expAvg: 'parameter',
    expAvgSq: 'parameter',
  } as const

  /** @throws RangeError, TypeError on a setting that is no number in its range. */
  constructor(
    params: readonly Parameter[] | readonly GroupSettings[],
    { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0.01 }: AdamWOptions = {},
  ) {
    for (const [i, beta] of betas.entries()) checkSetting(`betas[${i}]`, beta, 1)
    checkSetting('eps', eps)
    super(parameterGroups(params, { lr, weightDecay }))
    this.betas = betas
    this.eps = eps
  }

  protected override update(
    group: ParameterGroup,
    params: readonly Parameter[],
    grads: readonly Tensor[],
  ): void {
    for (const [step, indices] of this.byStep(params)) {
      const pick = <T>(list: readonly T[]) => indices.map((i) => list[i]!)
      this.updateAt(step, group, pick(params), pick(grads))
    }
  }

  /** Parameters grouped by the number of the step they are at (they differ when some had no gradient). */
  private byStep(params: readonly Parameter[]): Map<number, number[]> {
    const groups = new Map<number, number[]>()
    for (const [i, parameter] of params.entries()) {
      const state = this.state.get(parameter) ?? this.fresh(parameter)
      const step = state.step!.add_(1).item()
      groups.set(step, [...(groups.get(step) ?? []), i])
    }
    return groups
  }

  private fresh(parameter: Parameter): Record<string, Tensor> {
    const like = () => zerosLike(parameter).persist()
    const state = { step: zeros([]).persist(), expAvg: like(), expAvgSq: like() }
    this.state.set(parameter, state)
    return state
  }

  private updateAt(step: number, group: ParameterGroup, params: Parameter[], grads: Tensor[]): void {
    const [beta1, beta2] = this.betas
    const averages = params.map((parameter) => this.state.get(parameter)!.expAvg!)
    const squares = params.map((parameter) => this.state.get(parameter)!.expAvgSq!)
    if (group.weightDecay) foreachMul_(params, 1 - group.lr * group.weightDecay)
    foreachMul_(averages, beta1)
    foreachAdd_(averages, grads, 1 - beta1)
    foreachMul_(squares, beta2)
    foreachAddcmul_(squares, grads, grads, 1 - beta2)
    const denominators = foreachSqrt(squares)
    foreachDiv_(denominators, Math.sqrt(1 - beta2 ** step))
    foreachAddScalar_(denominators, this.eps)
    foreachAddcdiv_(params, averages, denominators, -group.lr / (1 - beta1 ** step))
  }
}
