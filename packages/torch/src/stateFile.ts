import { noGrad } from './autograd.js'
import { fromTypedArray } from './create.js'
import type { DType } from './dtype.js'
import {
  openSafetensors,
  type RawDtype,
  type TensorSource,
  typedArrayOf,
  writeSafetensors,
} from './safetensors.js'
import { ITEM_SIZES } from './safetensorsHeader.js'
import type { Tensor } from './tensor/tensor.js'
import { keep, tidy } from './tidy.js'

const rawDtypes: Record<DType, RawDtype> = {
  uint8: 'U8',
  int8: 'I8',
  int16: 'I16',
  int32: 'I32',
  int64: 'I64',
  float16: 'F16',
  float32: 'F32',
  float64: 'F64',
  bool: 'BOOL',
  bfloat16: 'BF16',
}
const dtypeOfRaw = new Map(Object.entries(rawDtypes).map(([dtype, raw]) => [raw, dtype as DType]))

/** Bytes of a tensor that are copied at once. */
const PIECE_BYTES = 1 << 20

/**
 * Named tensors as safetensors entries whose bytes are fetched when their turn to be written comes, in pieces that are
 * overwritten by the next one: buffers of whole tensors would wait for the garbage collector, as many as it pleases.
 */
export function* tensorSources(tensors: Iterable<readonly [string, Tensor]>): Generator<TensorSource> {
  const scratch = new Uint8Array(PIECE_BYTES)
  for (const [name, tensor] of tensors)
    yield {
      name,
      dtype: rawDtypes[tensor.dtype],
      shape: tensor.shape,
      data: () => pieces(tensor, scratch),
    }
}

/** The bytes of a tensor, row-major, as views of `scratch`. */
function* pieces(tensor: Tensor, scratch: Uint8Array): Generator<Uint8Array> {
  using flat = tidy(() => noGrad(() => keep(tensor.detach().contiguous().reshape(-1)))) // [numel]
  const itemBytes = ITEM_SIZES[rawDtypes[tensor.dtype]]
  for (let at = 0; at < flat.numel; ) {
    const count = Math.min(flat.numel - at, scratch.length / itemBytes)
    const piece = scratch.subarray(0, count * itemBytes)
    tidy(() => flat.narrow(0, at, count).copyInto(piece))
    yield piece
    at += count
  }
}

/** Writes named tensors to a safetensors file, atomically. @throws SafetensorsError, system errors of the disk. */
export function saveTensors(
  path: string,
  tensors: Iterable<readonly [string, Tensor]>,
  metadata: Record<string, string> = {},
): void {
  writeSafetensors(path, tensorSources(tensors), metadata)
}

/** Reads every tensor of a safetensors file onto the CPU. @throws SafetensorsError on a malformed file. */
export function loadTensors(path: string): Map<string, Tensor> {
  using file = openSafetensors(path)
  const tensors = new Map<string, Tensor>()
  for (const name of file.entries.keys()) {
    const raw = file.read(name)
    const dtype = dtypeOfRaw.get(raw.dtype)
    if (!dtype)
      throw new TypeError(
        `${path}: ${name} has dtype ${raw.dtype}, which libtorch for TypeScript does not hold`,
      )
    tensors.set(name, fromTypedArray(typedArrayOf(raw), raw.shape, { dtype }))
  }
  return tensors
}
