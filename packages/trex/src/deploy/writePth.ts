import { type TensorSource, writeFileAtomic } from 'trex-torch/safetensors'
import { itemBytes } from '../checkpoints/pthTensor.js'
import { type ZipMember, zipChunks } from '../checkpoints/zipWrite.js'
import { TrexError } from '../errors.js'
import { type Pickled, pickle } from './pickleWrite.js'

/** PyTorch's classes of storages by their elements; it has none for other kinds. */
const STORAGES: Partial<Record<TensorSource['dtype'], string>> = {
  F64: 'torch.DoubleStorage',
  F32: 'torch.FloatStorage',
  F16: 'torch.HalfStorage',
  BF16: 'torch.BFloat16Storage',
  I64: 'torch.LongStorage',
  I32: 'torch.IntStorage',
  I16: 'torch.ShortStorage',
  I8: 'torch.CharStorage',
  U8: 'torch.ByteStorage',
  BOOL: 'torch.BoolStorage',
}

const FOLDER = 'archive'
/** PyTorch maps files into memory: elements begin where any processor can read them. */
const ALIGNMENT = 64

/**
 * Writes a state dict as `torch.save` does: an ordered dict of contiguous tensors, each with a storage of its own, that
 * `torch.load(path, weights_only=True)` of PyTorch from 1.6 on reads. `path` appears only when it is complete. A
 * function as `data` is called twice.
 * @throws TrexError for elements that PyTorch has no storage of; RangeError for data of another size than the shape's; errors
 * of the disk.
 */
export function writePth(path: string, tensors: Iterable<TensorSource>): void {
  writeFileAtomic(path, pthChunks(tensors))
}

/** The bytes of such a file, piece by piece. @throws TrexError as `writePth` does. */
export function pthChunks(tensors: Iterable<TensorSource>): Generator<Uint8Array> {
  const sources = [...tensors]
  const text = (name: string, content: string) => member(name, new TextEncoder().encode(content))
  const dict = sources.map((source, key): [string, Pickled] => [source.name, described(source, key)])
  const members = [
    member('data.pkl', pickle({ dict })),
    text('byteorder', 'little'),
    ...sources.map((source, key) => {
      const size = elements(source.shape) * itemBytes(source.dtype)
      return { name: `${FOLDER}/data/${key}`, size, content: () => piecesOf(source, size) }
    }),
    text('version', '3\n'),
  ]
  return zipChunks(members, { alignment: ALIGNMENT })
}

const member = (name: string, bytes: Uint8Array): ZipMember => ({
  name: `${FOLDER}/${name}`,
  size: bytes.length,
  content: () => [bytes],
})

function* piecesOf({ name, data }: TensorSource, size: number): Generator<Uint8Array> {
  const content = typeof data === 'function' ? data() : data
  let left = size
  for (const piece of content instanceof Uint8Array ? [content] : content) {
    left -= piece.length
    yield piece
  }
  if (left !== 0) throw new RangeError(`${name} takes ${size} bytes, but has ${size - left}`)
}

/** The call that makes the tensor again, of a storage that the archive holds as data/KEY. */
function described({ name, dtype, shape }: TensorSource, key: number): Pickled {
  const storage = STORAGES[dtype]
  if (!storage)
    throw new TrexError(`${name} has elements of type ${dtype}, which no .pth file of PyTorch holds`, {
      hint: 'write it as safetensors',
    })
  const strides = shape.map((_, i) => elements(shape.slice(i + 1)))
  const persistent = ['storage', { global: storage }, `${key}`, 'cpu', elements(shape)]
  const hooks: Pickled = { call: 'collections.OrderedDict', with: [] }
  return {
    call: 'torch._utils._rebuild_tensor_v2',
    with: [{ persistent }, 0, { tuple: shape }, { tuple: strides }, false, hooks],
  }
}

const elements = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)
