import { PickleGlobal, PickleObject, type PickleValue } from './pickleValues.js'
import { PthTensor } from './pthTensor.js'

/** The tensors of one dict by name; `path` is where the dict is in the file: `''`, `teacher`, `model.state_dict`. */
export interface NamedTensors {
  readonly path: string
  readonly tensors: ReadonlyMap<string, PthTensor>
  /** Names of tensors of other kinds, which stay inert: sparse, quantised, complex ones. */
  readonly unread: readonly string[]
}

const MAX_LEVELS = 3
/** Dicts in all: more are no networks. */
const MAX_DICTS = 10_000

/**
 * All dicts with tensors in them, each once: the value itself, and what it has under texts as `state_dict`, `model`,
 * `teacher` or any other, three levels deep.
 */
export function stateDicts(root: PickleValue): NamedTensors[] {
  const seen = new Set<PickleValue>()
  const found: NamedTensors[] = []
  const visit = (value: PickleValue, path: string, level: number) => {
    const dict = value instanceof PickleObject ? value.entries : value
    if (!(dict instanceof Map) || level > MAX_LEVELS || seen.has(dict) || seen.size >= MAX_DICTS) return
    seen.add(dict)
    const tensors = new Map<string, PthTensor>()
    const unread: string[] = []
    const inner: [string, PickleValue][] = []
    for (const [key, part] of dict) {
      if (typeof key !== 'string') continue
      if (part instanceof PthTensor) tensors.set(key, part)
      else if (isOtherTensor(part)) unread.push(key)
      else if (part instanceof Map || part instanceof PickleObject) inner.push([key, part])
    }
    if (tensors.size || unread.length) found.push({ path, tensors, unread })
    for (const [key, part] of inner) visit(part, path ? `${path}.${key}` : key, level + 1)
  }
  visit(root, '', 0)
  return found
}

const isOtherTensor = (value: PickleValue): boolean =>
  value instanceof PickleObject &&
  value.callable instanceof PickleGlobal &&
  /^torch\._(utils|tensor)\._rebuild_/.test(value.callable.path)
