import type { RawTensor } from 'trex-torch/safetensors-format'
import { type ByteSource, bufferSource } from '../checkpoints/byteSource.js'
import type { StoredTensor } from '../checkpoints/checkpoint.js'
import { CheckpointError } from '../checkpoints/checkpointError.js'
import { openOnnx } from '../checkpoints/onnxFile.js'
import { protoReader } from '../checkpoints/protobuf.js'
import { type GraphValue, scanModel } from './scanModel.js'

/** What an ONNX model needs, gives and is made of. */
export interface OnnxModel {
  /** What errors call it. */
  readonly name: string
  /** The version of ONNX's own operators. */
  readonly opset: number
  readonly metadata: Readonly<Record<string, string>>
  /** What must be given to run it. */
  readonly inputs: readonly GraphValue[]
  readonly outputs: readonly GraphValue[]
  /** How often each operator is used, `domain.Name` where it is not ONNX's own; also in loops and functions. */
  readonly operators: ReadonlyMap<string, number>
  /** Its weights by name, those written as plain bytes. */
  readonly initializers: ReadonlyMap<string, StoredTensor>
  /** Reads one of `initializers`. */
  read(name: string): RawTensor
}

/**
 * Reads an ONNX model without running it: its whole structure, and no tensor. A model that keeps tensors in other files
 * is refused, wherever in it such a tensor is: a runtime opens files by the names it finds there.
 * @throws CheckpointError naming the file and what is wrong with it.
 */
export function readOnnxModel(model: Uint8Array | ByteSource): OnnxModel {
  const source = model instanceof Uint8Array ? bufferSource(model, 'the ONNX model') : model
  const { name, metadata, networks } = openOnnx(source)
  const [network] = networks
  const initializers = network?.tensors ?? new Map<string, StoredTensor>()
  try {
    const { inputs, ...scan } = scanModel(protoReader(source), source.size)
    return {
      ...{ name, metadata, initializers, ...scan },
      inputs: inputs.filter((input) => !initializers.has(input.name)), // files before version 4 list them as inputs too
      read: (tensor) => network!.read(tensor),
    }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new CheckpointError(name, `cannot be run: ${cause.message}`, { cause, hint: 'Export it again.' })
  }
}
