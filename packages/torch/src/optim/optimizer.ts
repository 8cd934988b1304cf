import { noGrad } from '../autograd.js'
import { whereOut, zerosLike } from '../ops.js'
import type { Parameter, Tensor } from '../tensor/tensor.js'
import { tidy } from '../tidy.js'
import { foreachClone } from './foreach.js'
import { checkSetting, type ParameterGroup } from './settings.js'

export type ParameterState = Record<string, Tensor>

/** How one step is made. */
export interface StepOptions {
  /**
   * Float32 [] on the parameters' device: where it is not 0, the step changes neither parameters nor state. The host does
   * not read it, so that it waits for nothing.
   */
  foundInf?: Tensor
}

/** What all optimizers do: parameter groups, gradients, and a state that can be saved and restored. */
export abstract class Optimizer {
  /** The parameters with their settings, which may be changed between steps. */
  readonly groups: ParameterGroup[]
  /** Tensors an optimizer keeps for each parameter, by name (`momentumBuffer`, `expAvg`, ...). */
  protected readonly state = new Map<Parameter, ParameterState>()
  /** The names of these tensors, and whether one has the parameter's shape or is a single number. */
  protected abstract readonly stateShapes: Readonly<Record<string, 'parameter' | 'scalar'>>

  constructor(groups: readonly ParameterGroup[]) {
    const seen = new Set<Parameter>()
    for (const parameter of groups.flatMap((group) => group.params)) {
      if (seen.has(parameter)) throw new Error('a parameter is in two groups, or twice in one')
      seen.add(parameter)
    }
    this.groups = groups.map((group) => ({ ...group }))
    this.checkGroups()
  }

  /** The state that a parameter starts from, kept: zeros, so that a step which is undone leaves no trace. */
  protected abstract fresh(parameter: Parameter): ParameterState

  /** Updates one group; gradients and parameters in the same order, `grads` are the parameters' own. */
  protected abstract update(
    group: ParameterGroup,
    params: readonly Parameter[],
    grads: readonly Tensor[],
  ): void

  /**
   * One update of every parameter that has a gradient.
   * @throws RangeError, TypeError, before any update, when a group's setting is no finite number of at least 0 or
   * `foundInf` is no scalar.
   */
  step({ foundInf }: StepOptions = {}): void {
    this.checkGroups()
    if (foundInf && foundInf.dim > 0)
      throw new RangeError(`foundInf must be a scalar, got [${foundInf.shape}]`)
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
          if (!params.length) continue
          if (foundInf) this.updateUnless(foundInf, group, params, grads)
          else this.update(group, params, grads)
        }
      }),
    )
  }

  /** Makes the update, and takes it back where `foundInf` is not 0: selecting, since gradients may be NaN then. */
  private updateUnless(
    foundInf: Tensor,
    group: ParameterGroup,
    params: readonly Parameter[],
    grads: readonly Tensor[],
  ): void {
    this.prepareUndo(params)
    const tensors = params.flatMap((parameter) => [parameter, ...Object.values(this.state.get(parameter)!)])
    const before = foreachClone(tensors)
    this.update(group, params, grads)
    const undo = foundInf.ne(0)
    for (const [i, tensor] of tensors.entries()) whereOut(undo, before[i]!, tensor, tensor)
  }

  /** Gives every parameter a state, all of it in tensors on the device, before an update that may be undone. */
  protected prepareUndo(params: readonly Parameter[]): void {
    for (const parameter of params)
      if (!this.state.has(parameter)) this.state.set(parameter, this.fresh(parameter))
  }

  private checkGroups(): void {
    for (const { lr, weightDecay } of this.groups) {
      checkSetting('lr', lr)
      checkSetting('weightDecay', weightDecay)
    }
  }

  /** The learning rate: of the first group when read, of every group when set. */
  get lr(): number {
    return this.groups[0]!.lr
  }

  set lr(lr: number) {
    checkSetting('lr', lr)
    for (const group of this.groups) group.lr = lr
  }

  /** Forgets every gradient. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null
  }

  private parameters(): Parameter[] {
    return this.groups.flatMap((group) => group.params)
  }

  /** The tensors of the state as `index.name`, index counting parameters over the groups: its own, not copies. */
  stateDict(): Map<string, Tensor> {
    const entries = new Map<string, Tensor>()
    for (const [i, parameter] of this.parameters().entries())
      for (const [name, tensor] of Object.entries(this.state.get(parameter) ?? {}))
        entries.set(`${i}.${name}`, tensor)
    return entries
  }

  /**
   * Takes the state of `stateDict()` back, copying it.
   * @throws Error listing every entry that fits no parameter or has another shape, and every missing one; the state is
   * what it was then.
   */
  loadStateDict(entries: ReadonlyMap<string, Tensor>): void {
    this.checkState(entries)
    const restored = tidy(() => noGrad(() => this.copyState(entries)))
    for (const tensors of this.state.values()) for (const tensor of Object.values(tensors)) tensor.dispose()
    this.state.clear()
    for (const [parameter, tensors] of restored) {
      for (const tensor of Object.values(tensors)) tensor.persist()
      this.state.set(parameter, tensors)
    }
  }

  private checkState(entries: ReadonlyMap<string, Tensor>): void {
    const parameters = this.parameters()
    const problems = new Set<string>()
    for (const [key, tensor] of entries) {
      const { parameter, index, name } = this.find(key, parameters)
      const kind = Object.hasOwn(this.stateShapes, name) ? this.stateShapes[name] : undefined
      const shape = kind === 'parameter' ? parameter?.shape : []
      if (!parameter) problems.add(`no parameter for the state ${key}`)
      else if (!kind) problems.add(`unexpected ${key}`)
      else if (`${tensor.shape}` !== `${shape}`)
        problems.add(`${key} has shape [${tensor.shape}], the optimizer needs [${shape}]`)
      for (const other of parameter ? Object.keys(this.stateShapes) : [])
        if (!entries.has(`${index}.${other}`)) problems.add(`missing ${index}.${other}`)
    }
    if (problems.size)
      throw new Error(`the state does not fit ${this.constructor.name}:\n  ${[...problems].join('\n  ')}`)
  }

  private find(key: string, parameters: readonly Parameter[]) {
    const [, index, name] = /^(0|[1-9]\d*)\.(.+)$/s.exec(key) ?? []
    return { parameter: parameters[Number(index)], index, name: name ?? '' }
  }

  private copyState(entries: ReadonlyMap<string, Tensor>): Map<Parameter, ParameterState> {
    const copies = new Map<Parameter, ParameterState>()
    const parameters = this.parameters()
    for (const [key, tensor] of entries) {
      const { name, parameter } = this.find(key, parameters) as { name: string; parameter: Parameter }
      const record = copies.get(parameter) ?? {}
      record[name] =
        this.stateShapes[name] === 'parameter' ? zerosLike(parameter).copy_(tensor) : tensor.to('cpu').clone()
      copies.set(parameter, record)
    }
    return copies
  }
}
