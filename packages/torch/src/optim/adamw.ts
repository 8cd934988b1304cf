import { full, stack, zeros } from '../create.js'
import { expm1, unbind, zerosLike } from '../ops.js'
import type { Parameter, Tensor } from '../tensor/tensor.js'
import {
  foreachAdd_,
  foreachAddcdiv_,
  foreachAddcmul_,
  foreachAddScalar_,
  foreachDiv_,
  foreachDivList_,
  foreachMul_,
  foreachMulList_,
  foreachSqrt,
} from './foreach.js'
import { Optimizer, type ParameterState } from './optimizer.js'
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
  /** What is in the step tensors of the CPU, so that no step reads them. */
  private readonly hostSteps = new WeakMap<Tensor, number>()
  /** Step tensors that may have been undone, so that only the device knows what is in them. */
  private readonly deviceSteps = new WeakSet<Tensor>()
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

  protected override fresh(parameter: Parameter): ParameterState {
    const like = () => zerosLike(parameter).persist()
    const step = zeros([]).persist()
    this.hostSteps.set(step, 0)
    return { step, expAvg: like(), expAvgSq: like() }
  }

  protected override prepareUndo(params: readonly Parameter[]): void {
    super.prepareUndo(params)
    for (const parameter of params) {
      const state = this.state.get(parameter)!
      const old = state.step!
      if (this.deviceSteps.has(old)) continue
      const { device } = parameter
      if (device !== old.device) {
        state.step = full([], this.hostStep(old), { device }).persist()
        old.dispose()
      }
      this.deviceSteps.add(state.step!)
    }
  }

  /** The number in a step tensor of the CPU: read only after it was restored, else known. */
  private hostStep(step: Tensor): number {
    return this.hostSteps.get(step) ?? step.item()
  }

  protected override update(
    group: ParameterGroup,
    params: readonly Parameter[],
    grads: readonly Tensor[],
  ): void {
    const states = params.map((parameter) => {
      const known = this.state.get(parameter) ?? this.fresh(parameter)
      this.state.set(parameter, known)
      return known
    })
    const numbers = states.map(({ step }) => this.advance(step!))
    foreachAddScalar_(
      states.map(({ step }) => step!),
      1,
    )
    for (const step of new Set(numbers)) {
      const at = <T>(list: readonly T[]) => list.filter((_, i) => numbers[i] === step)
      this.updateAt(step, group, at(params), at(grads), at(states))
    }
  }

  /** The number of the step that a parameter is at now (they differ when some had no gradient); null: on the device. */
  private advance(step: Tensor): number | null {
    if (this.deviceSteps.has(step)) return null
    const number = this.hostStep(step) + 1
    this.hostSteps.set(step, number)
    return number
  }

  private updateAt(
    step: number | null,
    group: ParameterGroup,
    params: readonly Parameter[],
    grads: readonly Tensor[],
    states: readonly ParameterState[],
  ): void {
    const [beta1, beta2] = this.betas
    const averages = states.map(({ expAvg }) => expAvg!)
    const squares = states.map(({ expAvgSq }) => expAvgSq!)
    if (group.weightDecay) foreachMul_(params, 1 - group.lr * group.weightDecay)
    foreachMul_(averages, beta1)
    foreachAdd_(averages, grads, 1 - beta1)
    foreachMul_(squares, beta2)
    foreachAddcmul_(squares, grads, grads, 1 - beta2)
    const denominators = foreachSqrt(squares)
    if (step !== null) {
      foreachDiv_(denominators, Math.sqrt(1 - beta2 ** step))
      foreachAddScalar_(denominators, this.eps)
      foreachAddcdiv_(params, averages, denominators, -group.lr / (1 - beta1 ** step))
    } else {
      const steps = stack(states.map((state) => state.step!)).to('float64') // [number of parameters]
      foreachDivList_(denominators, unbind(present(beta2, steps).sqrt()))
      foreachAddScalar_(denominators, this.eps)
      foreachMulList_(denominators, unbind(present(beta1, steps)))
      foreachAddcdiv_(params, averages, denominators, -group.lr)
    }
  }
}

/** 1 - beta^step: how much of an average that started at 0 is there. */
const present = (beta: number, steps: Tensor): Tensor => expm1(steps.mul(Math.log(beta))).neg()
