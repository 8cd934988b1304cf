import { fromTypedArray } from './create.js'
import type { DType } from './dtype.js'
import {
  openSafetensors,
  type RawDtype,
  type TensorSource,
  typedArrayOf,
  writeSafetensors,
} from './safetensors.js'
import type { Tensor } from './tensor/tensor.js'

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

/** Named tensors as safetensors entries whose bytes are fetched when their turn to be written comes. */
export function* tensorSources(tensors: Iterable<readonly [string, Tensor]>): Generator<TensorSource> {
  for (const [name, tensor] of tensors)
    yield {
      name,
      dtype: rawDtypes[tensor.dtype],
      shape: tensor.shape,
      data: () => {
        const { buffer, byteOffset, byteLength } = tensor.toTypedArray()
        return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
      },
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
