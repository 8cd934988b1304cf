import type { RawTensor } from 'trex-torch/safetensors'
import type { ByteSource } from './byteSource.js'
import { CheckpointError, CONVERT_HINT } from './checkpointError.js'
import { checkNesting, type PickleValue } from './pickleValues.js'
import { type PthTensor, readElements } from './pthTensor.js'

/** What `torch.save` wrote: plain values, tensors that are read when asked for, and the rest inert. */
export interface PthFile {
  readonly root: PickleValue
  /** Reads a tensor of `root`, row by row and little-endian. @throws CheckpointError when memory or the file is short. */
  read(tensor: PthTensor): RawTensor
}

/** Runs the unpickler and names the file in what it throws. @throws CheckpointError */
export function readPickle(source: ByteSource, read: () => PickleValue): PickleValue {
  try {
    const root = read()
    checkNesting(root)
    return root
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new CheckpointError(source.name, `its pickle cannot be read: ${cause.message}`, {
      cause,
      hint: CONVERT_HINT,
    })
  }
}

/** Reads a tensor whose storage begins at `begin`. @throws CheckpointError when there is no memory for it. */
export function readTensor(source: ByteSource, begin: number, tensor: PthTensor): RawTensor {
  try {
    return readElements(source, begin, tensor)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new CheckpointError(source.name, `a tensor of [${tensor.shape}] does not fit in memory`, { cause })
  }
}
