import { COSTS, type PickleBudget } from './pickleBudget.js'
import { PickleGlobal, PickleObject, PickleTuple, type PickleValue } from './pickleValues.js'
import { PthTensor } from './pthTensor.js'

/** What a few names mean; every other one stays inert. */
export interface PickleMeaning {
  /** What a persistent id stands for. @throws RangeError when it stands for nothing. */
  persistent(id: PickleValue): PickleValue
  /** What calling a global gives; undefined: it has no meaning here. @throws RangeError on wrong arguments. */
  call(callable: PickleGlobal, args: readonly PickleValue[]): PickleValue | undefined
}

/** A class or function by name. */
export function stackGlobal(module: PickleValue, name: PickleValue): PickleGlobal {
  if (typeof module !== 'string' || typeof name !== 'string') throw new RangeError('a global has no name')
  return new PickleGlobal(module, name)
}

/** The result of a call: what `meaning` says of a global, else a record. */
export function called(callable: PickleValue, args: PickleValue, meaning: PickleMeaning): PickleValue {
  if (!(args instanceof PickleTuple)) throw new RangeError('a call has no tuple of arguments')
  const meant = callable instanceof PickleGlobal ? meaning.call(callable, args.items) : undefined
  return meant === undefined ? new PickleObject(callable, args) : meant
}

/** Gives an object its state. Attributes of dicts and tensors, as the versions of a state dict's modules, are left out. */
export function build(state: PickleValue, target: PickleValue): void {
  if (target instanceof PickleObject) target.state = state
  else if (!(target instanceof Map || target instanceof PthTensor))
    throw new RangeError('a state is given to what has none')
}

/** Appends to a list. */
export function appendItems(
  items: readonly PickleValue[],
  target: PickleValue,
  { spend }: PickleBudget,
): void {
  if (target instanceof PickleObject && !target.items) {
    spend(COSTS.container)
    target.items = []
  }
  const list = target instanceof PickleObject ? target.items : target
  if (!Array.isArray(list)) throw new RangeError('something is appended to what is no list')
  spend(COSTS.item * items.length)
  for (const item of items) list.push(item)
}

/** Sets entries of a dict, given as keys and values in turns. */
export function setItems(items: readonly PickleValue[], target: PickleValue, budget: PickleBudget): void {
  if (target instanceof PickleObject && !target.entries) {
    budget.spend(COSTS.container)
    target.entries = new Map()
  }
  const dict = target instanceof PickleObject ? target.entries : target
  if (!(dict instanceof Map)) throw new RangeError('an entry is set in what is no dict')
  if (items.length % 2) throw new RangeError('a dict has a key without a value')
  for (let i = 0; i < items.length; i += 2) {
    budget.entry(items[i]!)
    dict.set(items[i]!, items[i + 1]!)
  }
}

/** Adds to a set. */
export function addItems(items: readonly PickleValue[], target: PickleValue, budget: PickleBudget): void {
  if (target instanceof PickleObject) appendItems(items, target, budget)
  else if (!(target instanceof Set)) throw new RangeError('something is added to what is no set')
  else
    for (const item of items) {
      budget.entry(item)
      target.add(item)
    }
}

/** A dict of keys and values in turns. */
export function dictOf(items: readonly PickleValue[], budget: PickleBudget): PickleValue {
  const dict = new Map<PickleValue, PickleValue>()
  setItems(items, dict, budget)
  return dict
}

/** A set of these. */
export function setOf(items: readonly PickleValue[], budget: PickleBudget): PickleValue {
  const set = new Set<PickleValue>()
  addItems(items, set, budget)
  return set
}
