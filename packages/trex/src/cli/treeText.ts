import { ITEM_SIZES } from 'trex-torch/safetensors-format'
import type { TreeNode } from '../checkpoints/tree.js'

/** A tree in lines: a dict's with its tensors counted, a tensor's type and shape, values. */
export function treeText(node: TreeNode): string[] {
  return linesOf('', node, '')
}

function linesOf(key: string, node: TreeNode, indent: string): string[] {
  const label = key && `${key}: `
  if (node.kind === 'value') return [`${indent}${label}${node.text}`]
  if (node.kind === 'tensor') return [`${indent}${label}${node.dtype} [${node.shape.join(', ')}]`]
  const { type, entries, more } = node
  const { tensors, elements, bytes } = countsOf(node)
  const counted =
    tensors && `, ${tensors} tensor${tensors === 1 ? '' : 's'} of ${elements} elements, ${sizeText(bytes)}`
  return [
    `${indent}${label}${type}${counted || ''}`,
    ...entries.flatMap(([inner, part]) => linesOf(inner, part, `${indent}  `)),
    ...(more ? [`${indent}  and ${more} more`] : []),
  ]
}

interface Counts {
  readonly tensors: number
  readonly elements: number
  readonly bytes: number
}

/** The tensors that are shown under a node. */
function countsOf(node: TreeNode): Counts {
  if (node.kind === 'value') return { tensors: 0, elements: 0, bytes: 0 }
  if (node.kind === 'tensor') {
    const elements = node.shape.reduce((product, length) => product * length, 1)
    return { tensors: 1, elements, bytes: elements * ITEM_SIZES[node.dtype] }
  }
  const parts = node.entries.map(([, part]) => countsOf(part))
  const sum = (of: keyof Counts) => parts.reduce((total, part) => total + part[of], 0)
  return { tensors: sum('tensors'), elements: sum('elements'), bytes: sum('bytes') }
}

/** Bytes in words: `12 B`, `3.4 kB`, `97.8 MB`. */
export function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB']
  let [value, unit] = [bytes, 0]
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1]
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
