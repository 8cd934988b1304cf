import { noGrad } from '../autograd.js'
import type { Parameter, Tensor } from '../tensor/tensor.js'
import { tidy } from '../tidy.js'

/** Parameters that share their settings; `lr` and `weightDecay` may be changed between steps. */
export interface ParameterGroup {
  params: readonly Parameter[]
  lr: number
  weightDecay: number
}

/** What all optimizers do: parameter groups, gradients, and a state that can be saved and restored. */
export abstract class Optimizer {
  readonly groups: ParameterGroup[]
  /** Tensors an optimizer keeps for each parameter, by name (`momentumBuffer`, `expAvg`, ...). */
  protected readonly state = new Map<Parameter, Record<string, Tensor>>()

  constructor(groups: readonly ParameterGroup[]) {
    const seen = new Set<Parameter>()
    for (const parameter of groups.flatMap((group) => group.params)) {
      if (seen.has(parameter)) throw new Error('a parameter is in two groups, or twice in one')
      seen.add(parameter)
    }
    this.groups = groups.map((group) => ({ ...group }))
  }

  /** Updates one group; gradients and parameters in the same order, `grads` are the parameters' own. */
  protected abstract update(
    group: ParameterGroup,
    params: readonly Parameter[],
    grads: readonly Tensor[],
  ): void

  /** One update of every parameter that has a gradient. */
  step(): void {
    tidy(() =>
      noGrad(() => {
        for (const group of this.groups) {
          const params: Parameter[] = []
          const grads: Tensor[] = []
          for (const parameter of group.params) {
            const { grad } = parameter
            if (!grad) continue
            params.push(parameter)
            grads.push(grad)
          }
          if (params.length) this.update(group, params, grads)
        }
      }),
    )
  }

  /** Sets the learning rate of every group. */
  set lr(lr: number) {
    for (const group of this.groups) group.lr = lr
  }

  /** Forgets every gradient. */
  zeroGrad(): void {
    for (const parameter of this.groups.flatMap((group) => group.params)) parameter.grad = null
  }

  /** The tensors of the state as `index.name`, index counting parameters over the groups. */
  stateDict(): Map<string, Tensor> {
    const entries = new Map<string, Tensor>()
    const parameters = this.groups.flatMap((group) => group.params)
    for (const [i, parameter] of parameters.entries())
      for (const [name, tensor] of Object.entries(this.state.get(parameter) ?? {}))
        entries.set(`${i}.${name}`, tensor)
    return entries
  }

  /** Takes the state of `stateDict()` back, copying it. @throws Error on an entry that fits no parameter. */
  loadStateDict(entries: ReadonlyMap<string, Tensor>): void {
    const parameters = this.groups.flatMap((group) => group.params)
    for (const tensors of this.state.values()) for (const tensor of Object.values(tensors)) tensor.dispose()
    this.state.clear()
    for (const [key, tensor] of entries) {
      const [index, name] = key.split('.') as [string, string]
      const parameter = parameters[Number(index)]
      if (!parameter || !name) throw new Error(`the optimizer has no parameter for the state ${key}`)
      const record = this.state.get(parameter) ?? {}
      record[name] = noGrad(() => tensor.to({ device: parameter.device }).clone()).persist()
      this.state.set(parameter, record)
    }
  }
}
