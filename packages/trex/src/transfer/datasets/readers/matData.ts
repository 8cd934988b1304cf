import type { MatElement } from './matCursor.js'
import * as type from './matCursor.js'

type Reader = (view: DataView, at: number, little: boolean) => number

/** How many bytes a number takes, and how it is read. MATLAB stores whole numbers in the smallest type that fits. */
const NUMBERS: Readonly<Record<number, readonly [size: number, read: Reader]>> = {
  [type.INT8]: [1, (view, at) => view.getInt8(at)],
  [type.UINT8]: [1, (view, at) => view.getUint8(at)],
  [type.INT16]: [2, (view, at, little) => view.getInt16(at, little)],
  [type.UINT16]: [2, (view, at, little) => view.getUint16(at, little)],
  [type.INT32]: [4, (view, at, little) => view.getInt32(at, little)],
  [type.UINT32]: [4, (view, at, little) => view.getUint32(at, little)],
  [type.SINGLE]: [4, (view, at, little) => view.getFloat32(at, little)],
  [type.DOUBLE]: [8, (view, at, little) => view.getFloat64(at, little)],
  [type.INT64]: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
  [type.UINT64]: [8, (view, at, little) => Number(view.getBigUint64(at, little))],
}

/** The numbers of an element, which must be `count`. @throws RangeError when they are not. */
export function matNumbers({ type: kind, bytes }: MatElement, count: number, little: boolean): Float64Array {
  const [size, read] = NUMBERS[kind] ?? []
  if (size === undefined || read === undefined) throw new RangeError(`numbers are of type ${kind}`)
  if (bytes.length !== count * size)
    throw new RangeError(
      `an array of ${count} numbers has ${bytes.length} bytes of them, not ${count * size}`,
    )
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const data = new Float64Array(count)
  for (let i = 0; i < count; i++) data[i] = read(view, i * size, little)
  return data
}

/** The characters of an element. @throws RangeError when they are of another type, or no text. */
export function matText({ type: kind, bytes }: MatElement, little: boolean): string {
  const encoding =
    kind === type.UINT16 || kind === type.UTF16
      ? little
        ? 'utf-16le'
        : 'utf-16be'
      : kind === type.UTF8
        ? 'utf-8'
        : kind === type.INT8 || kind === type.UINT8
          ? 'latin1'
          : null
  if (encoding === null) throw new RangeError(`a text is of type ${kind}`)
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new RangeError('a text is broken')
  }
}
