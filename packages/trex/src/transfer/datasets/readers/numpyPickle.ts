import {
  PickleGlobal,
  PickleObject,
  PickleTuple,
  type PickleValue,
} from '../../../checkpoints/pickleValues.js'

/** A NumPy array as its pickle says: its elements are objects, or bytes of a type. */
export interface NumpyArray {
  readonly shape: readonly number[]
  /** As NumPy writes it without its byte order: `u1`, `U28`, `O8`. */
  readonly dtype: string
  readonly bigEndian: boolean
  readonly data: readonly PickleValue[] | Uint8Array
}

/** Bytes of an element, and elements of an array of texts. */
const MAX_ITEM_BYTES = 1 << 16
const MAX_TEXTS = 1 << 22

/**
 * The array that a record of a pickle stands for: what `numpy.ndarray`'s and `numpy.generic`'s pickles of all protocols
 * say (modules `numpy.core` and, since NumPy 2, `numpy._core`).
 * @throws RangeError when it is none, or its sizes contradict each other.
 */
export function numpyArray(value: PickleValue, what: string): NumpyArray {
  const none = (): never => {
    throw new RangeError(`${what} is no array of NumPy`)
  }
  if (!(value instanceof PickleObject && value.callable instanceof PickleGlobal)) return none()
  const args = value.args instanceof PickleTuple ? value.args.items : []
  const name = value.callable.path.replace(/^numpy\._core\./, 'numpy.core.')
  let [shape, dtype, data]: (PickleValue | undefined)[] = []
  if (name === 'numpy.core.multiarray._reconstruct' && value.state instanceof PickleTuple) {
    const [, size, type, fortran, content] = value.state.items
    if (fortran === true && size instanceof PickleTuple && size.items.length > 1)
      throw new RangeError(`${what} is an array in the order of Fortran`)
    ;[shape, dtype, data] = [size, type, content]
  } else if (name === 'numpy.core.numeric._frombuffer') [data, dtype, shape] = args
  else if (name === 'numpy.core.multiarray.scalar')
    [shape, dtype, data] = [new PickleTuple([]), args[0], args[1]]
  if (!(shape instanceof PickleTuple) || data === undefined) return none()
  const { code, bigEndian } = dtypeOf(dtype, none)
  const sizes = shape.items.map((size) =>
    Number.isSafeInteger(size) && (size as number) >= 0 ? (size as number) : none(),
  )
  const count = sizes.reduce((product, size) => product * size, 1)
  const content = Array.isArray(data) ? data : bytesOf(data, none)
  const expected = Array.isArray(content) ? count : count * itemBytes(code, none)
  if (content.length !== expected)
    throw new RangeError(`${what} is an array [${sizes}] of ${code} with ${content.length} of ${expected}`)
  return { shape: sizes, dtype: code, bigEndian, data: content }
}

function dtypeOf(value: PickleValue | undefined, none: () => never): { code: string; bigEndian: boolean } {
  const known =
    value instanceof PickleObject &&
    value.callable instanceof PickleGlobal &&
    value.callable.path === 'numpy.dtype' &&
    value.args instanceof PickleTuple
  if (!known) return none()
  const code = (value.args as PickleTuple).items[0]
  const order = value.state instanceof PickleTuple ? value.state.items[1] : '<'
  if (typeof code !== 'string' || !/^([biuf][1248]|[OSU]\d{0,5})$/.test(code)) return none()
  return { code, bigEndian: order === '>' }
}

function itemBytes(code: string, none: () => never): number {
  const size = Number(code.slice(1))
  if (code[0] === 'O') return none() // objects are in a list
  const bytes = code[0] === 'U' ? 4 * size : size
  return bytes > 0 && bytes <= MAX_ITEM_BYTES ? bytes : none()
}

/** Bytes, as protocol 2 has them too: a string of Python 2, or text to be encoded as Latin-1. */
function bytesOf(value: PickleValue, none: () => never): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string') return Buffer.from(value, 'latin1')
  const encoded =
    value instanceof PickleObject &&
    value.callable instanceof PickleGlobal &&
    value.callable.path === '_codecs.encode' &&
    value.args instanceof PickleTuple
  const [text, encoding] = encoded ? (value.args as PickleTuple).items : []
  return typeof text === 'string' && encoding === 'latin1' ? Buffer.from(text, 'latin1') : none()
}

/** The texts of an array of one dimension, or the one of a scalar. @throws RangeError when they are none. */
export function numpyTexts(value: PickleValue, what: string): string[] {
  const { shape, dtype, bigEndian, data } = numpyArray(value, what)
  if (shape.length > 1) throw new RangeError(`${what} is an array of ${shape.length} dimensions`)
  if (shape[0] !== undefined && shape[0] > MAX_TEXTS)
    throw new RangeError(`${what} is an array of more than ${MAX_TEXTS} texts`)
  if (!(data instanceof Uint8Array))
    return data.map((item) => {
      if (typeof item !== 'string') throw new RangeError(`${what} holds something that is no text`)
      return item
    })
  const size = itemBytes(dtype, () => {
    throw new RangeError(`${what} is an array of ${dtype}`)
  })
  const text = dtype[0] === 'U' ? wideText(bigEndian) : dtype[0] === 'S' ? narrowText : null
  if (!text) throw new RangeError(`${what} is an array of ${dtype}, not of texts`)
  return Array.from({ length: data.length / size }, (_, i) => text(data.subarray(i * size, (i + 1) * size)))
}

const narrowText = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1').replace(/\0+$/, '')

/** UTF-32, filled up with zeros. */
const wideText = (bigEndian: boolean) => (bytes: Uint8Array) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const points = Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, !bigEndian))
  while (points.at(-1) === 0) points.pop()
  if (points.some((point) => point > 0x10ffff)) throw new RangeError('a text is no Unicode')
  return String.fromCodePoint(...points)
}
