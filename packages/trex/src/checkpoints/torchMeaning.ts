import type { RawDtype } from 'trex-torch/safetensors'
import type { PickleBudget } from './pickleBudget.js'
import type { PickleMeaning } from './pickleBuild.js'
import { PickleGlobal, PickleTuple, type PickleValue } from './pickleValues.js'
import { checkedTensor, PthStorage, PthTensor } from './pthTensor.js'

const DTYPES: Readonly<Record<string, RawDtype>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
}

/**
 * The names of PyTorch that mean something: storages, tensors, parameters, and OrderedDict as a dict. `found` sees each
 * storage when the pickle names it. A dict that is made of a list counts on `budget`: a few bytes may copy a large one.
 */
export function torchMeaning(found: (storage: PthStorage) => void, budget: PickleBudget): PickleMeaning {
  return {
    persistent(id) {
      const parts = id instanceof PickleTuple ? id.items : []
      if (parts[0] === 'module') return parts[1] ?? null // a class with its source, in old files
      const storage = storageOf(parts)
      found(storage)
      return storage
    },
    call(callable, args) {
      switch (callable.path) {
        case 'collections.OrderedDict':
          return orderedDict(args, budget)
        case 'torch._utils._rebuild_tensor': // before PyTorch 0.4
        case 'torch._utils._rebuild_tensor_v2':
          return rebuildTensor(args)
        case 'torch._tensor._rebuild_from_type_v2':
          return withAttributes(args)
        case 'torch._utils._rebuild_parameter':
        case 'torch._utils._rebuild_parameter_with_state':
          return args[0] instanceof PthTensor ? args[0] : undefined
        default:
          return undefined
      }
    },
  }
}

/** ('storage', class, key, device, elements), in old files with a part of another storage at the end, or None. */
function storageOf([tag, kind, key, , elements, part = null]: readonly PickleValue[]): PthStorage {
  const known = tag === 'storage' && kind instanceof PickleGlobal && typeof key === 'string'
  if (!known || !Number.isSafeInteger(elements) || (elements as number) < 0)
    throw new RangeError('a persistent id is that of no storage')
  if (part !== null) throw new RangeError('a storage is a part of another, as before PyTorch 0.4')
  const dtype = kind.module === 'torch' && Object.hasOwn(DTYPES, kind.name) ? DTYPES[kind.name]! : null
  return new PthStorage(dtype, key, elements as number)
}

/** (storage, offset, size, stride[, requires gradient, hooks[, metadata]]) */
function rebuildTensor(args: readonly PickleValue[]): PickleValue | undefined {
  const [storage, offset, shape, strides, , , bits] = args
  if (!(storage instanceof PthStorage && shape instanceof PickleTuple && strides instanceof PickleTuple))
    throw new RangeError('a tensor is made of something else than a storage, a size and strides')
  if (storage.dtype === null) return undefined // complex or quantised numbers: they stay inert
  // Elements that are to be negated when they are read: views of complex numbers.
  if (bits instanceof Map && (bits.get('neg') || bits.get('conj'))) return undefined
  return checkedTensor(storage, offset, shape.items, strides.items)
}

/** (function, class, its arguments, attributes): a tensor that was given attributes, which are left out. */
function withAttributes([made, kind, args]: readonly PickleValue[]): PickleValue | undefined {
  const plain =
    made instanceof PickleGlobal &&
    made.path === 'torch._utils._rebuild_tensor_v2' &&
    kind instanceof PickleGlobal &&
    kind.path === 'torch.Tensor'
  return plain && args instanceof PickleTuple ? rebuildTensor(args.items) : undefined
}

function orderedDict([items]: readonly PickleValue[], budget: PickleBudget): PickleValue {
  const dict = new Map<PickleValue, PickleValue>()
  if (items === undefined) return dict
  if (!Array.isArray(items)) throw new RangeError('an OrderedDict is made of something else than a list')
  for (const item of items) {
    const pair = Array.isArray(item) ? item : item instanceof PickleTuple ? item.items : []
    if (pair.length !== 2) throw new RangeError('an OrderedDict is made of something else than pairs')
    budget.entry(pair[0]!)
    dict.set(pair[0]!, pair[1]!)
  }
  return dict
}
