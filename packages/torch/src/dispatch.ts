import { Handle } from './handle.js'
import { native } from './native.js'
import type { TensorCore } from './tensor/core.js'
import type { Tensor } from './tensor/tensor.js'

/** What an operator takes: tensors, generators, numbers, strings, null, and lists of these. */
export type Argument = Handle | number | bigint | boolean | string | null | undefined | readonly Argument[]

let wrap: (handle: number) => Tensor

/** Tells the dispatcher how to wrap results; called once by tensor/tensor.ts, which keeps imports acyclic. */
export function setTensorFactory(factory: (handle: number) => Tensor): void {
  wrap = factory
}

function lower(argument: Argument): unknown {
  if (typeof argument !== 'object' || argument === null) return argument
  if (argument instanceof Handle) return argument.handle
  const list = argument as readonly Argument[]
  return typeof list[0] === 'object' ? list.map(lower) : list
}

type Check = (name: string, overload: string) => void

function lookUp(name: string, overload: string, check?: Check): (...args: unknown[]) => unknown {
  check?.(name, overload)
  return native().resolve(name, overload)
}

function resolve(name: string, overload: string, check?: Check): (...args: Argument[]) => unknown {
  let call: ((...args: unknown[]) => unknown) | undefined
  return (...args) => {
    call ??= lookUp(name, overload, check)
    for (let i = 0; i < args.length; i++) args[i] = lower(args[i]) as Argument
    switch (
      args.length // spreading into a native function is slow
    ) {
      case 1:
        return call(args[0])
      case 2:
        return call(args[0], args[1])
      case 3:
        return call(args[0], args[1], args[2])
      default:
        return call(...args)
    }
  }
}

/** @throws TypeError unless the result is one new tensor: handles of several would be lost, and one be held twice. */
function requireOneTensor(name: string, overload: string): void {
  const schema = native().schema(name, overload)
  if (/^[^(]*\(Tensor\(\w+!\) /.test(schema))
    throw new TypeError(`tensorOp: ${name} writes its first argument; use inPlaceOp`)
  const result = schema.split(' -> ').at(-1)!
  if (!/^Tensor(\([^()]*\))?( \w+)?$/.test(result))
    throw new TypeError(`tensorOp: the result of ${name} is ${result}; use tensorsOp or valueOp`)
}

/**
 * An ATen operator that returns one tensor, e.g. `tensorOp('aten::add', 'Tensor')`. Arguments follow the
 * schema's order; those left out take the schema's defaults. It is looked up at the first call.
 * @throws Error `ERR_OPERATOR` (at the call) when this libtorch has no such operator, `ERR_ARGUMENT` on a
 * value of the wrong type, `ERR_DISPOSED` on a disposed tensor, `ERR_TORCH` with libtorch's own message;
 * TypeError when the operator's result is anything but one tensor.
 */
export function tensorOp(name: string, overload = ''): (...args: Argument[]) => Tensor {
  const call = resolve(name, overload, requireOneTensor)
  return (...args) => {
    const handle = call(...args)
    if (typeof handle !== 'number') throw new TypeError(`${name} returned no tensor`)
    return wrap(handle)
  }
}

/** An operator that writes its first argument (`aten::add_`) and returns it. */
export function inPlaceOp(
  name: string,
  overload = '',
): <T extends TensorCore>(self: T, ...args: Argument[]) => T {
  const call = resolve(name, overload)
  return (self, ...args) => {
    call(self, ...args)
    return self
  }
}

/** An operator that returns several tensors, or a list of them; an undefined tensor comes back as null. */
export function tensorsOp(name: string, overload = ''): (...args: Argument[]) => Tensor[] {
  const call = resolve(name, overload)
  return (...args) =>
    (call(...args) as (number | null)[]).map((h) => (h === null ? (null as never) : wrap(h)))
}

/** An operator that returns nothing (`aten::_foreach_add_`) or plain values. */
export function valueOp<T = void>(name: string, overload = ''): (...args: Argument[]) => T {
  return resolve(name, overload) as (...args: Argument[]) => T
}

const known = new Map<string, boolean>()

/** Whether this libtorch has the operator: newer ones have more. */
export function hasOperator(name: string, overload = ''): boolean {
  const key = `${name}.${overload}`
  const before = known.get(key)
  if (before !== undefined) return before
  const found = findOperator(name, overload)
  known.set(key, found)
  return found
}

function findOperator(name: string, overload: string): boolean {
  try {
    native().schema(name, overload)
    return true
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_OPERATOR') return false
    throw error
  }
}

/** The operator's schema as libtorch prints it. */
export function schemaOf(name: string, overload = ''): string {
  return native().schema(name, overload)
}
