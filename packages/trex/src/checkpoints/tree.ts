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

/** The tree of a file of named tensors, with texts beside them under a name. */
export function networkTree(
  tensors: ReadonlyMap<string, StoredTensor>,
  beside: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): BranchNode {
  const shown = [...tensors].slice(0, MOST_ENTRIES)
  const named = shown.map(
    ([name, { dtype, shape }]) => [lineOf(name), { kind: 'tensor', dtype, shape }] as const,
  )
  const branch = { kind: 'branch', type: 'dict', entries: named, more: tensors.size - shown.length } as const
  const texts = textBranches(beside)
  if (texts.length === 0) return branch
  return { kind: 'branch', type: 'file', entries: [...texts, ['tensors', branch]], more: 0 }
}

/** Texts under their names, where there are some. */
export function textBranches(
  beside: Readonly<Record<string, Readonly<Record<string, string>>>>,
): BranchNode['entries'] {
  return Object.entries(beside).flatMap(([name, texts]) => {
    const all = Object.entries(texts)
    const shown = all.slice(0, MOST_ENTRIES)
    const entries = shown.map(([key, text]) => [lineOf(key), { kind: 'value', text: lineOf(text) }] as const)
    const branch = { kind: 'branch', type: 'texts', entries, more: all.length - shown.length } as const
    return all.length ? [[name, branch] as const] : []
  })
}

/** Text of a file on one line. */
export const lineOf = (text: string): string => quoted(text).slice(1, -1)
