import { noGrad } from './autograd.js'
import type { Device, DType, MemoryFormat } from './dtype.js'
import { Parameter, Tensor } from './tensor/tensor.js'
import { tidy } from './tidy.js'

/** Tensors by state-dict name, in the order of the module's fields. */
export type StateDict = Map<string, Tensor>

/** A key of a state dict as PyTorch spells it: `runningMean` -> `running_mean`. */
const stateName = (field: string) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

function* firstNames(entries: Iterable<[string, Tensor]>): Generator<[string, Tensor]> {
  const seen = new Set<Tensor>()
  for (const [name, tensor] of entries) {
    if (!seen.has(tensor)) yield [name, tensor]
    seen.add(tensor)
  }
}

/**
 * The base of all layers and models. Fields are found by looking: a `Parameter` is trained, any other
 * `Tensor` is a buffer, a `Module` (alone or in an array) is a child. Names follow torchvision.
 */
export abstract class Module {
  /** Whether batch norm, dropout and the like behave as in training; set by `train` and `eval`. */
  training = true

  /** The module's output for `x`. */
  abstract forward(x: Tensor): Tensor

  /** Direct children by name, those in arrays as `field.0`, `field.1`, ... (`Sequential` drops the field). */
  *namedChildren(): Generator<[string, Module]> {
    for (const [field, value] of Object.entries(this)) {
      if (value instanceof Module) yield [stateName(field), value]
      else if (Array.isArray(value))
        for (const [i, item] of value.entries())
          if (item instanceof Module) yield [`${stateName(field)}.${i}`, item]
    }
  }

  /** This module and all below it, by their path from here (`prefix` itself for this one). */
  *namedModules(prefix = ''): Generator<[string, Module]> {
    yield [prefix, this]
    for (const [name, child] of this.namedChildren())
      yield* child.namedModules(prefix ? `${prefix}.${name}` : name)
  }

  private *named(prefix: string): Generator<[string, Tensor]> {
    for (const [path, module] of this.namedModules(prefix))
      for (const [field, value] of Object.entries(module))
        if (value instanceof Tensor) yield [path ? `${path}.${stateName(field)}` : stateName(field), value]
  }

  /** Trained tensors by name; one that several modules share comes once, under its first name. */
  *namedParameters(prefix = ''): Generator<[string, Parameter]> {
    for (const [name, tensor] of firstNames(this.named(prefix)))
      if (tensor instanceof Parameter) yield [name, tensor]
  }

  /** Tensors that are not trained by name, each once as in `namedParameters`. */
  *namedBuffers(prefix = ''): Generator<[string, Tensor]> {
    for (const [name, tensor] of firstNames(this.named(prefix)))
      if (!(tensor instanceof Parameter)) yield [name, tensor]
  }

  /** What `namedParameters` gives, without the names: for optimizers. */
  parameters(): Parameter[] {
    return [...this.namedParameters()].map(([, parameter]) => parameter)
  }

  /** Every parameter and buffer by all of its names: the module's own tensors, not copies. */
  stateDict(prefix = ''): StateDict {
    return new Map(this.named(prefix))
  }

  /**
   * Copies values into the parameters and buffers of the same name.
   * @throws Error listing every missing, unexpected and misshapen entry; nothing is copied then. With
   * `strict: false` only misshapen ones are errors.
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>, { strict = true } = {}): void {
    const own = this.stateDict()
    const problems: string[] = []
    for (const [name, tensor] of own) {
      const given = state.get(name)
      if (!given) strict && problems.push(`missing ${name} [${tensor.shape}]`)
      else if (`${given.shape}` !== `${tensor.shape}`)
        problems.push(`${name} has shape [${given.shape}], the module needs [${tensor.shape}]`)
    }
    if (strict) for (const name of state.keys()) if (!own.has(name)) problems.push(`unexpected ${name}`)
    if (problems.length)
      throw new Error(`the state dict does not fit ${this.constructor.name}:\n  ${problems.join('\n  ')}`)
    tidy(() =>
      noGrad(() => {
        for (const [name, tensor] of own) {
          const given = state.get(name)
          if (given) tensor.copy_(given)
        }
      }),
    )
  }

  /** Switches batch norm, dropout and the like between training and evaluation. */
  train(training = true): this {
    for (const [, module] of this.namedModules()) module.training = training
    return this
  }

  /** `train(false)`. */
  eval(): this {
    return this.train(false)
  }

  /**
   * Moves every parameter, its gradient and every buffer in place; `dtype` applies to floating tensors, `memoryFormat`
   * to 4-d ones.
   */
  to(target: { dtype?: DType; device?: Device; memoryFormat?: MemoryFormat }): this {
    tidy(() =>
      noGrad(() => {
        for (const tensor of this.stateDict().values()) {
          const floating = tensor.dtype.includes('float')
          const its = {
            device: target.device,
            dtype: floating ? target.dtype : undefined,
            memoryFormat: tensor.dim === 4 ? target.memoryFormat : undefined,
          } as object
          const moved = tensor.to(its)
          if (moved === tensor) continue
          const { grad } = tensor
          tensor.adopt(moved)
          if (grad) tensor.grad = grad.to(its)
        }
      }),
    )
    return this
  }

  /** Sets whether the parameters are trained. */
  requiresGrad_(flag: boolean): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = flag
    return this
  }

  /** Forgets every gradient. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null
  }

  /** Releases every parameter and buffer. */
  dispose(): void {
    for (const tensor of this.stateDict().values()) tensor.dispose()
  }
}

/** Modules applied one after the other; state names are `0.`, `1.`, ... as in PyTorch. */
export class Sequential extends Module {
  /** What `forward` applies, first to last. */
  readonly layers: readonly Module[]

  constructor(...layers: Module[]) {
    super()
    this.layers = layers
  }

  override *namedChildren(): Generator<[string, Module]> {
    for (const [i, layer] of this.layers.entries()) yield [String(i), layer]
    for (const [name, module] of super.namedChildren()) // fields of a class that extends this one
      if (!name.startsWith('layers.')) yield [name, module]
  }

  override forward(x: Tensor): Tensor {
    return this.layers.reduce((value, layer) => layer.forward(value), x)
  }
}
