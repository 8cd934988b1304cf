import { COSTS, costOf, type PickleBudget } from './pickleBudget.js'
import type { PickleValue } from './pickleValues.js'

/** The stack of an unpickler with its marks, and the memo; misuse of them is a RangeError. */
export type PickleMachine = ReturnType<typeof pickleMachine>

/** An empty machine for a pickle whose bytes end at `length`. */
export function pickleMachine(budget: PickleBudget, length: number) {
  const stack: PickleValue[] = []
  /** How high the stack was at each open mark. */
  const marks: number[] = []
  const memo = new Map<number, PickleValue>()
  const push = (value: PickleValue) => {
    budget.spend(COSTS.slot)
    stack.push(value)
  }
  const top = (): PickleValue => {
    if (stack.length <= (marks.at(-1) ?? 0)) throw new RangeError('the stack is empty')
    return stack.at(-1)!
  }
  const put = (index: number) => {
    // Every entry takes bytes, so that no index is above their number.
    if (index > length) throw new RangeError(`memo ${index} is out of order`)
    budget.spend(COSTS.entry)
    memo.set(index, top())
  }
  return {
    budget,
    /** Pushes a value that is there. */
    push,
    /** Pushes a new value. */
    add(value: PickleValue) {
      budget.spend(costOf(value))
      push(value)
    },
    pop(): PickleValue {
      const value = top()
      stack.pop()
      return value
    },
    top,
    mark() {
      budget.spend(COSTS.slot)
      marks.push(stack.length)
    },
    /** What was pushed since the last mark. */
    popMark(): PickleValue[] {
      const from = marks.pop()
      if (from === undefined) throw new RangeError('there is no mark')
      return stack.splice(from)
    },
    put,
    memoize: () => put(memo.size),
    get(index: number) {
      const value = memo.get(index)
      if (value === undefined) throw new RangeError(`memo ${index} is empty`)
      push(value)
    },
    finish(): PickleValue {
      const value = top()
      if (stack.length > 1 || marks.length)
        throw new RangeError('the pickle ends with values left on its stack')
      return value
    },
  }
}
