import type { PickleValue } from './pickleValues.js'
import { PthTensor } from './pthTensor.js'

/** The tensors of one dict by name; `path` is where the dict is in the file: `''`, `teacher`, `model.state_dict`. */
export interface NamedTensors {
  readonly path: string
  readonly tensors: ReadonlyMap<string, PthTensor>
}

/** Keys under which checkpoints keep a network. */
const KEYS = ['state_dict', 'model', 'teacher', 'student']
const MAX_LEVELS = 3

/**
 * All dicts with tensors in them, each once: the value itself, and what it has under `state_dict`, `model`, `teacher`,
 * `student`.
 */
export function stateDicts(root: PickleValue): NamedTensors[] {
  return within(root, '', 0, new Set())
}

function within(root: PickleValue, path: string, level: number, seen: Set<PickleValue>): NamedTensors[] {
  if (!(root instanceof Map) || level > MAX_LEVELS || seen.has(root)) return []
  seen.add(root)
  const tensors = new Map<string, PthTensor>()
  for (const [key, value] of root)
    if (typeof key === 'string' && value instanceof PthTensor) tensors.set(key, value)
  const own = tensors.size ? [{ path, tensors }] : []
  const inner = KEYS.flatMap((key) =>
    within(root.get(key) ?? null, path ? `${path}.${key}` : key, level + 1, seen),
  )
  return [...own, ...inner]
}
