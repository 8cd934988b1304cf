import { native } from './native.js'
import type { TensorCore } from './tensor/core.js'

// Tensors made inside a scope belong to it and cost nothing more; those made outside, returned from the
// outermost scope or kept are released by the garbage collector, unless disposed before.

const scopes: TensorCore[][] = []
const collected = new FinalizationRegistry<number>((handle) => native().dispose(handle))

function releaseByCollector(tensor: TensorCore): void {
  native().account(tensor.handle)
  collected.register(tensor, tensor.handle, tensor)
  tensor.lifetime = 'collected'
}

/** Files a new tensor under the innermost scope (called by the tensor's constructor). */
export function track(tensor: TensorCore): void {
  const scope = scopes[scopes.length - 1]
  if (scope) scope.push(tensor)
  else releaseByCollector(tensor)
}

/** Stops the collector from releasing a tensor that is being disposed by hand. */
export function untrack(tensor: TensorCore): void {
  if (tensor.lifetime === 'collected') collected.unregister(tensor)
}

/**
 * Takes a tensor out of its scope: it lives until it is disposed or unreachable. Parameters, buffers and
 * optimizer state are kept.
 */
export function keep<T extends TensorCore>(tensor: T): T {
  if (tensor.lifetime === 'scoped' && tensor.handle !== 0) releaseByCollector(tensor)
  return tensor
}

function collect(value: unknown, into: Set<unknown>): void {
  if (typeof value !== 'object' || value === null || into.has(value)) return
  into.add(value)
  if ('lifetime' in value && 'handle' in value) return
  if (Array.isArray(value)) for (const item of value) collect(item, into)
  else if (value instanceof Map) for (const item of value.values()) collect(item, into)
  else if (Object.getPrototypeOf(value) === Object.prototype)
    for (const item of Object.values(value)) collect(item, into)
}

function close(scope: TensorCore[], survivors: Set<unknown>): void {
  const parent = scopes[scopes.length - 1]
  const handles: number[] = []
  for (const tensor of scope) {
    if (tensor.handle === 0 || tensor.lifetime === 'collected') continue
    if (!survivors.has(tensor)) {
      handles.push(tensor.handle)
      tensor.handle = 0
    } else if (parent) parent.push(tensor)
    else releaseByCollector(tensor)
  }
  native().disposeAll(handles)
}

/**
 * Runs `body` and disposes every tensor made in it, except those it returns (alone or inside arrays, maps
 * and plain objects) and those `keep` was called on.
 * @throws TypeError when `body` returns a promise: the scope would end before the work does.
 */
export function tidy<T>(body: () => T): T {
  const scope: TensorCore[] = []
  scopes.push(scope)
  const survivors = new Set<unknown>()
  try {
    const result = body()
    if (result instanceof Promise)
      throw new TypeError('tidy needs a synchronous function, got one that returns a promise')
    collect(result, survivors)
    return result
  } finally {
    scopes.pop()
    close(scope, survivors)
  }
}

/** The number of tensors this thread holds natively; constant from step to step in a loop without leaks. */
export function liveTensors(): number {
  return native().liveTensors()
}
