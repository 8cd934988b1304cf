import type { PthStorage, PthTensor } from './pthTensor.js'

/** What a pickle can hold here: plain values, tensors, and the rest as inert records that do nothing. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleTuple
  | PickleGlobal
  | PickleObject
  | PthStorage
  | PthTensor

/** A Python tuple. */
export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** The name of a Python class or function. Nothing is imported, and nothing can be called. */
export class PickleGlobal {
  constructor(
    readonly module: string,
    readonly name: string,
  ) {}

  /** `module.name` */
  get path(): string {
    return `${this.module}.${this.name}`
  }
}

/** What Python would have made by calling `callable`; here a record of what the pickle said. */
export class PickleObject {
  state: PickleValue = null
  /** What was appended to it, as to a list; null: nothing. */
  items: PickleValue[] | null = null
  /** What was set in it, as in a dict; null: nothing. */
  entries: Map<PickleValue, PickleValue> | null = null

  constructor(
    readonly callable: PickleValue,
    readonly args: PickleValue,
    readonly keywords: PickleValue = null,
  ) {}
}

/** Nesting that no checkpoint reaches. */
const MAX_DEPTH = 200

/**
 * Checks that a value holds itself nowhere and is nested no deeper than 200, so that reading it by recursion ends.
 * @throws RangeError that says which.
 */
export function checkNesting(root: PickleValue): void {
  const height = new Map<PickleValue, number>()
  const open = new Set<PickleValue>()
  const stack: { value: PickleValue; parts: Iterator<PickleValue>; height: number }[] = []
  const enter = (value: PickleValue) => {
    if (open.has(value)) throw new RangeError('a value holds itself')
    if (stack.length >= MAX_DEPTH) throw new RangeError(`values are nested more than ${MAX_DEPTH} deep`)
    open.add(value)
    stack.push({ value, parts: partsOf(value), height: 0 })
  }
  if (isCompound(root)) enter(root)
  while (stack.length) {
    const top = stack.at(-1)!
    const next = top.parts.next()
    if (next.done) {
      stack.pop()
      open.delete(top.value)
      height.set(top.value, top.height)
      const parent = stack.at(-1)
      if (parent) parent.height = Math.max(parent.height, top.height + 1)
    } else if (isCompound(next.value)) {
      const known = height.get(next.value)
      if (known === undefined) enter(next.value)
      else if (stack.length + known >= MAX_DEPTH)
        throw new RangeError(`values are nested more than ${MAX_DEPTH} deep`)
      else top.height = Math.max(top.height, known + 1)
    }
  }
}

const isCompound = (value: PickleValue): boolean =>
  Array.isArray(value) ||
  value instanceof Map ||
  value instanceof Set ||
  value instanceof PickleTuple ||
  value instanceof PickleObject

function* partsOf(value: PickleValue): Generator<PickleValue> {
  if (Array.isArray(value) || value instanceof Set) yield* value
  else if (value instanceof PickleTuple) yield* value.items
  else if (value instanceof Map) for (const entry of value) yield* entry
  else if (value instanceof PickleObject) {
    yield* [value.callable, value.args, value.keywords, value.state]
    if (value.items) yield* value.items
    if (value.entries) for (const entry of value.entries) yield* entry
  }
}
