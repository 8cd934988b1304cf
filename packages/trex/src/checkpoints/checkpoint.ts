import type { RawDtype, RawTensor } from 'trex-torch/safetensors-format'
import type { TreeNode } from './tree.js'

/** How a file of weights is written. */
export type CheckpointFormat = 'pytorch' | 'safetensors' | 'npz' | 'onnx'

/** What a file says of a tensor. */
export interface StoredTensor {
  readonly dtype: RawDtype
  readonly shape: readonly number[]
}

/** Named tensors of a file that may be an encoder's. */
export interface StoredNetwork {
  /** Where they are in the file, as `teacher` or `model.state_dict`; empty: at its top. */
  readonly path: string
  readonly tensors: ReadonlyMap<string, StoredTensor>
  /** Names of tensors beside them that are not read, being sparse, quantised, complex or on no device. */
  readonly unread?: readonly string[]
  /** Reads one of `tensors`. @throws CheckpointError when the file or memory is short, or it is damaged. */
  read(name: string): RawTensor
}

/** An opened file of weights, whose tensors are read when they are asked for. */
export interface Checkpoint {
  /** What errors call it. */
  readonly name: string
  /** Bytes of the file. */
  readonly size: number
  readonly format: CheckpointFormat
  /** Texts by key, of safetensors and ONNX files. */
  readonly metadata: Readonly<Record<string, string>>
  readonly networks: readonly StoredNetwork[]
  /** What is in the file, for people; no tensor is read for it. */
  tree(): TreeNode
}
