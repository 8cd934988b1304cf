import type { RawDtype } from 'trex-torch/safetensors-format'
import type { StoredTensor } from './checkpoint.js'
import { quoted } from './quoted.js'

/** What a file holds, for people and as JSON: of tensors their type and shape, of the rest a line. */
export type TreeNode = TensorNode | ValueNode | BranchNode

/** A tensor. */
export interface TensorNode {
  readonly kind: 'tensor'
  readonly dtype: RawDtype
  readonly shape: readonly number[]
}

/** A plain value, or what is not shown in full, on one line. */
export interface ValueNode {
  readonly kind: 'value'
  readonly text: string
}

/** A dict, a list, or an object that is not brought to life. */
export interface BranchNode {
  readonly kind: 'branch'
  /** `dict`, `list`, `argparse.Namespace`. */
  readonly type: string
  readonly entries: readonly (readonly [key: string, value: TreeNode])[]
  /** Entries that it has beside those. */
  readonly more: number
}

/** Entries of one branch that a tree shows. */
export const MOST_ENTRIES = 2000

/** The tree of a file of named tensors with texts beside them. */
export function networkTree(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>>,
): BranchNode {
  const texts = Object.entries(metadata)
  const shown = [...tensors].slice(0, MOST_ENTRIES)
  const named = shown.map(([name, { dtype, shape }]) => [name, { kind: 'tensor', dtype, shape }] as const)
  const branch = { kind: 'branch', type: 'dict', entries: named, more: tensors.size - shown.length } as const
  if (texts.length === 0) return branch
  const values = texts
    .slice(0, MOST_ENTRIES)
    .map(([key, text]) => [key, { kind: 'value', text: quoted(text) }] as const)
  const more = texts.length - values.length
  const about = { kind: 'branch', type: 'metadata', entries: values, more } as const
  return {
    kind: 'branch',
    type: 'file',
    entries: [['metadata', about] as const, ['tensors', branch] as const],
    more: 0,
  }
}
