import { PickleGlobal, PickleObject, PickleTuple, type PickleValue } from './pickleValues.js'
import { PthStorage, PthTensor } from './pthTensor.js'
import { quoted } from './quoted.js'
import { lineOf, MOST_ENTRIES, type TreeNode } from './tree.js'

/** Branches of a tree in all, and the levels below its top. */
const MOST_BRANCHES = 4000
const MOST_LEVELS = 16
/** Entries of a list that are shown. */
const LIST_ENTRIES = 20

/**
 * What a pickle holds. A value that is at several places is shown at the first, so that a small file has a small tree;
 * objects are named, and nothing in them is brought to life.
 */
export function pickleTree(root: PickleValue): TreeNode {
  const seen = new Set<PickleValue>()
  const node = (value: PickleValue, level: number): TreeNode => {
    const plain = plainText(value)
    if (plain !== undefined) return { kind: 'value', text: plain }
    if (value instanceof PthTensor) return { kind: 'tensor', dtype: value.dtype, shape: value.shape }
    const type = typeOf(value)
    const empty = !(value instanceof PickleObject) && sizeOf(value) === 0
    if (empty) return { kind: 'value', text: `empty ${type}` }
    const items = value instanceof PickleTuple ? value.items : Array.isArray(value) ? value : undefined
    const line = items && plainLine(items)
    if (line !== undefined) return { kind: 'value', text: Array.isArray(value) ? `[${line}]` : `(${line})` }
    if (seen.has(value)) return { kind: 'value', text: `${type}, as above` }
    if (seen.size >= MOST_BRANCHES || level > MOST_LEVELS)
      return { kind: 'value', text: `${type}, not shown` }
    seen.add(value)
    const most = value instanceof Map ? MOST_ENTRIES : LIST_ENTRIES
    const [parts, count] = partsOf(value, most)
    const entries = parts.map(([key, part]) => [key, node(part, level + 1)] as const)
    return { kind: 'branch', type, entries, more: count - entries.length }
  }
  return node(root, 0)
}

/** A list of plain values alone: the first of them. */
function plainLine(items: readonly PickleValue[]): string | undefined {
  const texts = items.slice(0, LIST_ENTRIES).map(plainText)
  if (!texts.every((text) => text !== undefined)) return undefined
  return [...texts, ...(items.length > texts.length ? [`... ${items.length} in all`] : [])].join(', ')
}

function plainText(value: PickleValue): string | undefined {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'number') return `${value}`
  if (typeof value === 'bigint') return value.toString(16).length > 40 ? 'a long integer' : `${value}`
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (value instanceof PickleGlobal) return nameOf(value)
  if (value instanceof PthStorage) return `storage of ${value.elements} elements`
  return undefined
}

/** What is called, for a line of text. */
function nameOf(callable: PickleValue): string {
  return callable instanceof PickleGlobal ? lineOf(callable.path) : 'object'
}

function typeOf(value: PickleValue): string {
  if (value instanceof PickleObject) return className(value)
  if (value instanceof Map) return 'dict'
  if (value instanceof Set) return 'set'
  return value instanceof PickleTuple ? 'tuple' : 'list'
}

/** `copyreg._reconstructor` and `__newobj__` make what their first argument names. */
function className({ callable, args }: PickleObject): string {
  const helper = callable instanceof PickleGlobal && /^copy_?reg\./.test(callable.path)
  const [first] = args instanceof PickleTuple ? args.items : []
  return nameOf(helper && first instanceof PickleGlobal ? first : callable)
}

const sizeOf = (value: PickleValue): number => {
  if (value instanceof Map || value instanceof Set) return value.size
  if (value instanceof PickleTuple) return value.items.length
  return Array.isArray(value) ? value.length : 0
}

type Parts = [parts: [key: string, value: PickleValue][], count: number]

function partsOf(value: PickleValue, most: number): Parts {
  if (value instanceof Map) return [entriesOf(value, most), value.size]
  if (!(value instanceof PickleObject)) {
    const items = value instanceof PickleTuple ? value.items : (value as Iterable<PickleValue>)
    return [firstOf(items, most).map((item, i) => [`${i}`, item]), sizeOf(value)]
  }
  const { args, state, items, entries } = value
  const given =
    args instanceof PickleTuple ? args.items.filter((item) => !(item instanceof PickleGlobal)) : []
  const attributes = state instanceof Map ? entriesOf(state, most) : []
  const other: [string, PickleValue][] = state === null || state instanceof Map ? [] : [['state', state]]
  const parts: Parts[0] = [
    ...firstOf(given, LIST_ENTRIES).map((item, i): [string, PickleValue] => [`argument ${i}`, item]),
    ...[...attributes, ...other],
    ...firstOf(items ?? [], LIST_ENTRIES).map((item, i): [string, PickleValue] => [`${i}`, item]),
    ...(entries ? entriesOf(entries, most) : []),
  ]
  const stateSize = state instanceof Map ? state.size : other.length
  return [parts, given.length + stateSize + (items?.length ?? 0) + (entries?.size ?? 0)]
}

function firstOf<T>(items: Iterable<T>, most: number): T[] {
  const first: T[] = []
  for (const item of items) {
    if (first.length === most) break
    first.push(item)
  }
  return first
}

const entriesOf = (dict: Map<PickleValue, PickleValue>, most: number): [string, PickleValue][] =>
  firstOf(dict, most).map(([key, value]) => [keyText(key), value])

/** A key as it is, where it is a text or a number. */
function keyText(key: PickleValue): string {
  if (typeof key === 'string') return lineOf(key)
  return plainText(key) ?? typeOf(key)
}
