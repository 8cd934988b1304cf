import { type Module, noGrad, type Tensor, tidy } from 'trex-torch'

/** The first output of a forward pass that holds numbers which are not finite. */
export interface NonFiniteOutput {
  /** The module that made it, by name. */
  readonly module: string
  readonly shape: readonly number[]
  /** How many of its numbers are not finite. */
  readonly count: number
  /** The smallest and the largest number of the module's input, which is finite. */
  readonly input: readonly [number, number]
}

/** Looks at what every module of a model puts out while `body` runs; the first output that is not finite, if any. */
export function watchForward(model: Module, name: string, body: () => void): NonFiniteOutput | null {
  let first: NonFiniteOutput | null = null
  const watched = [...model.namedModules(name)]
  for (const [path, module] of watched) {
    const forward = module.forward.bind(module)
    module.forward = (x) => {
      const input = first ? null : rangeOf(x)
      const output = forward(x)
      if (input && !first) first = examine(path, input, output)
      return output
    }
  }
  try {
    body()
  } finally {
    for (const [, module] of watched) Reflect.deleteProperty(module, 'forward')
  }
  return first
}

function examine(module: string, input: readonly [number, number], output: Tensor): NonFiniteOutput | null {
  const count = noGrad(() => tidy(() => output.isfinite().logicalNot().sum().item()))
  return count > 0 ? { module, shape: output.shape, count, input } : null
}

/** The smallest and the largest number of a tensor. */
export function rangeOf(x: Tensor): [number, number] {
  return noGrad(() => tidy(() => [x.min().item(), x.max().item()]))
}
