import * as type from './matCursor.js'
import { type MatCursor, type MatElement, matCursor } from './matCursor.js'
import { matNumbers, matText } from './matData.js'

/** A MATLAB array: its values column by column. */
export type MatValue = MatNumbers | MatText | MatCells | MatStructs

export interface MatNumbers {
  readonly kind: 'numbers'
  readonly shape: readonly number[]
  readonly data: Float64Array
}

/** An array of characters; of several rows they come column by column. */
export interface MatText {
  readonly kind: 'text'
  readonly shape: readonly number[]
  readonly text: string
}

export interface MatCells {
  readonly kind: 'cells'
  readonly shape: readonly number[]
  readonly cells: readonly MatValue[]
}

/** An array of structures: each field's values, one for each structure. */
export interface MatStructs {
  readonly kind: 'structs'
  readonly shape: readonly number[]
  readonly fields: ReadonlyMap<string, readonly MatValue[]>
}

/** What the arrays of a file may take; `spend` throws RangeError when that is used up. */
export interface MatBudget {
  spend(kind: 'arrays' | 'values', count: number): void
}

/** Cars196 has 113,000 arrays; each takes some hundred bytes. */
const MAX_ARRAYS = 1 << 20
const MAX_VALUES = 1 << 24
const MAX_DEPTH = 16

export function matBudget(): MatBudget {
  const left = { arrays: MAX_ARRAYS, values: MAX_VALUES }
  return {
    spend(kind, count) {
      left[kind] -= count
      if (!(left[kind] >= 0)) throw new RangeError(`it has more ${kind} than a list of images can need`)
    },
  }
}

const CELL = 1
const STRUCT = 2
const CHAR = 4
const FIRST_NUMBER = 6
const LAST_NUMBER = 15
const COMPLEX = 0x0800
const MAX_NAME_BYTES = 64
const EMPTY: MatNumbers = { kind: 'numbers', shape: [0, 0], data: new Float64Array(0) }

/**
 * The array whose elements `cursor` reads, and its name; null where `wanted` are names and this is none of them.
 * @throws RangeError when its elements contradict each other, or its class is not read (sparse arrays, objects, functions).
 */
export function readMatrix(
  cursor: MatCursor,
  budget: MatBudget,
  wanted: ReadonlySet<string> | null = null,
  depth = 0,
): { name: string; value: MatValue } | null {
  if (depth > MAX_DEPTH) throw new RangeError(`its arrays are nested more than ${MAX_DEPTH} deep`)
  budget.spend('arrays', 1)
  // An empty cell is an array without any elements.
  if (depth > 0 && cursor.atEnd()) return { name: '', value: EMPTY }
  const flags = words(expected(cursor, type.UINT32, 'flags'), cursor.little)[0]
  if (flags === undefined) throw new RangeError('an array has no flags')
  const kind = flags & 0xff
  // The name of an object comes without dimensions before it; none is wanted.
  if (kind > LAST_NUMBER && wanted) return null
  const shape = [...words(expected(cursor, type.INT32, 'sizes'), cursor.little)]
  const name = latin1(expected(cursor, type.INT8, 'a name'))
  if (wanted && !wanted.has(name)) return null
  if (shape.length < 2 || shape.length > 32) throw new RangeError(`an array has ${shape.length} dimensions`)
  const count = shape.reduce((product, size) => product * size, 1)
  const inner = () => {
    const { type: found, bytes } = cursor.element(true)
    if (found !== type.MATRIX) throw new RangeError(`an array holds an element of type ${found}`)
    return readMatrix(matCursor(bytes, cursor.little), budget, null, depth + 1)!.value
  }
  if (kind === CELL) {
    budget.spend('values', count)
    return { name, value: { kind: 'cells', shape, cells: Array.from({ length: count }, inner) } }
  }
  if (kind === STRUCT)
    return { name, value: { kind: 'structs', shape, fields: fieldsOf(cursor, count, budget, inner) } }
  if (kind === CHAR) {
    const text = matText(cursor.element(true), cursor.little)
    budget.spend('values', text.length)
    // Sizes count 16-bit units; some programs count characters.
    if (text.length !== count && [...text].length !== count)
      throw new RangeError(`a text of ${count} characters has ${text.length}`)
    return { name, value: { kind: 'text', shape, text } }
  }
  if (kind < FIRST_NUMBER || kind > LAST_NUMBER || flags & COMPLEX)
    throw new RangeError(
      `it has an array of class ${kind}${flags & COMPLEX ? ', complex' : ''}, which is not read`,
    )
  budget.spend('values', count)
  return {
    name,
    value: { kind: 'numbers', shape, data: matNumbers(cursor.element(true), count, cursor.little) },
  }
}

function fieldsOf(
  cursor: MatCursor,
  count: number,
  budget: MatBudget,
  inner: () => MatValue,
): Map<string, MatValue[]> {
  const [length = 0] = words(expected(cursor, type.INT32, "the length of fields' names"), cursor.little)
  const bytes = expected(cursor, type.INT8, "fields' names")
  if (!(length > 0 && length <= MAX_NAME_BYTES) || bytes.length % length !== 0)
    throw new RangeError(`the names of fields have ${bytes.length} bytes, in pieces of ${length}`)
  const fields = new Map<string, MatValue[]>()
  for (let at = 0; at < bytes.length; at += length) {
    const name = latin1(bytes.subarray(at, at + length)).replace(/\0.*$/s, '')
    if (fields.has(name)) throw new RangeError(`a structure has a field twice`)
    fields.set(name, [])
  }
  budget.spend('values', count * Math.max(1, fields.size))
  if (fields.size > 0)
    for (let i = 0; i < count; i++) for (const values of fields.values()) values.push(inner())
  return fields
}

function expected(cursor: MatCursor, wanted: number, what: string): Uint8Array {
  const { type: found, bytes }: MatElement = cursor.element(true)
  // Names of one byte are written as unsigned by some programs.
  if (found !== wanted && !(wanted === type.INT8 && found === type.UINT8))
    throw new RangeError(`an array has an element of type ${found} where ${what} should be`)
  return bytes
}

function words(bytes: Uint8Array, little: boolean): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Uint32Array.from({ length: bytes.length >> 2 }, (_, i) => view.getUint32(4 * i, little))
}

const latin1 = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
