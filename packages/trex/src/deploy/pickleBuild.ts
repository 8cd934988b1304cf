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
export function appendItems(items: readonly PickleValue[], target: PickleValue): void {
  const list = target instanceof PickleObject ? target.items : target
  if (!Array.isArray(list)) throw new RangeError('something is appended to what is no list')
  for (const item of items) list.push(item)
}

/** Sets entries of a dict. */
export function setItems(entries: readonly [PickleValue, PickleValue][], target: PickleValue): void {
  const dict = target instanceof PickleObject ? target.entries : target
  if (!(dict instanceof Map)) throw new RangeError('an entry is set in what is no dict')
  for (const [key, value] of entries) dict.set(key, value)
}

/** Adds to a set. */
export function addItems(items: readonly PickleValue[], target: PickleValue): void {
  if (target instanceof PickleObject) appendItems(items, target)
  else if (!(target instanceof Set)) throw new RangeError('something is added to what is no set')
  else for (const item of items) target.add(item)
}

/** Keys with their values, of a list that has them in turns. */
export function pairs(items: readonly PickleValue[]): [PickleValue, PickleValue][] {
  if (items.length % 2) throw new RangeError('a dict has a key without a value')
  return Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i]!, items[2 * i + 1]!])
}
