import { type Device, type DType, dtypes } from './dtype.js'
import { native } from './native.js'
import { Tensor } from './tensor/tensor.js'

function withGradMode<T>(enabled: boolean, body: () => T): T {
  const before = native().gradMode(enabled)
  try {
    const result = body()
    if (result instanceof Promise) throw new TypeError('noGrad and enableGrad need a synchronous function')
    return result
  } finally {
    native().gradMode(before)
  }
}

/** Runs `body` without recording a graph. */
export const noGrad = <T>(body: () => T): T => withGradMode(false, body)

/** Runs `body` recording a graph, inside `noGrad` too. */
export const enableGrad = <T>(body: () => T): T => withGradMode(true, body)

/** Whether operations are being recorded. */
export const isGradEnabled = (): boolean => native().gradMode()

/**
 * The gradients of the sum of `outputs` with respect to `inputs`; `.grad` fields are left alone.
 * @returns one tensor an input; null where `allowUnused` and the input does not matter.
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options: {
    gradients?: readonly Tensor[]
    retainGraph?: boolean
    createGraph?: boolean
    allowUnused?: boolean
  } = {},
): (Tensor | null)[] {
  const handles = (tensors: readonly Tensor[]) => tensors.map((t) => t.handle)
  const { gradients, retainGraph = false, createGraph = false, allowUnused = false } = options
  return native()
    .gradients(
      handles(outputs instanceof Tensor ? [outputs] : outputs),
      handles(inputs),
      gradients ? handles(gradients) : null,
      retainGraph,
      createGraph,
      allowUnused,
    )
    .map((handle) => (handle === null ? null : new Tensor(handle)))
}

/**
 * Runs `body` under autocast: matrix products and convolutions in `dtype`, what needs precision in float32.
 * Casts of parameters are remembered until the outermost autocast ends.
 */
export function autocast<T>(
  options: { device?: Device; dtype?: Extract<DType, 'bfloat16' | 'float16'>; enabled?: boolean },
  body: () => T,
): T {
  const { device = 'cpu', dtype = 'bfloat16', enabled = true } = options
  const engine = native()
  const [wasEnabled, wasDtype] = engine.autocastState(device)
  engine.setAutocast(device, enabled, dtypes[dtype].code)
  engine.autocastNesting(1)
  try {
    const result = body()
    if (result instanceof Promise) throw new TypeError('autocast needs a synchronous function')
    return result
  } finally {
    engine.autocastNesting(-1)
    engine.setAutocast(device, wasEnabled, wasDtype)
  }
}
