import { deflateSync } from 'node:zlib'

/** A value for a MATLAB file: numbers (a row), text, a row of cells, or a row of structures. */
export type MatInput = readonly number[] | string | { cells: readonly MatInput[] } | { structs: MatRecord[] }
export type MatRecord = Readonly<Record<string, MatInput>>

/** How a file is written. */
export interface MatStyle {
  readonly big?: boolean
  readonly compressed?: boolean
}

const number = (value: number, bytes: 2 | 4, big: boolean): Buffer => {
  const buffer = Buffer.alloc(bytes)
  if (big) buffer.writeUIntBE(value, 0, bytes)
  else buffer.writeUIntLE(value, 0, bytes)
  return buffer
}

/** A data element with its tag and padding; one of four bytes or fewer in the small form. */
export function matElement(type: number, bytes: Buffer, big = false, small = true): Buffer {
  if (small && bytes.length > 0 && bytes.length <= 4) {
    const tag = number(((bytes.length << 16) | type) >>> 0, 4, big)
    return Buffer.concat([tag, bytes, Buffer.alloc(4 - bytes.length)])
  }
  const padding = Buffer.alloc((8 - (bytes.length % 8)) % 8)
  return Buffer.concat([number(type, 4, big), number(bytes.length, 4, big), bytes, padding])
}

/** An array as an element; its class and content follow from the value. */
export function matArray(name: string, value: MatInput, big = false): Buffer {
  const element = (type: number, bytes: Buffer) => matElement(type, bytes, big)
  const array = (kind: number, count: number, content: readonly Buffer[]) =>
    matElement(
      14,
      Buffer.concat([
        element(6, Buffer.concat([number(kind, 4, big), Buffer.alloc(4)])),
        element(5, Buffer.concat([number(1, 4, big), number(count, 4, big)])),
        element(1, Buffer.from(name, 'latin1')),
        ...content,
      ]),
      big,
      false,
    )
  if (typeof value === 'string')
    return array(4, value.length, [
      element(4, Buffer.concat([...value].map((c) => number(c.charCodeAt(0), 2, big)))),
    ])
  if ('cells' in value)
    return array(
      1,
      value.cells.length,
      value.cells.map((cell) => matArray('', cell, big)),
    )
  if ('structs' in value) {
    const fields = Object.keys(value.structs[0]!)
    const names = Buffer.alloc(32 * fields.length)
    for (const [i, field] of fields.entries()) names.write(field, 32 * i, 'latin1')
    const inner = value.structs.flatMap((one) => fields.map((field) => matArray('', one[field]!, big)))
    return array(2, value.structs.length, [element(5, number(32, 4, big)), element(1, names), ...inner])
  }
  const bytes = Buffer.concat(
    value.map((x) => {
      const double = Buffer.alloc(8)
      if (big) double.writeDoubleBE(x)
      else double.writeDoubleLE(x)
      return double
    }),
  )
  return array(6, value.length, [matElement(9, bytes, big)])
}

/** The header of a file of version 5. */
export function matHeader(big = false, text = 'MATLAB 5.0 MAT-file'): Buffer {
  const header = Buffer.alloc(128, ' ')
  header.write(text)
  return Buffer.concat([header.subarray(0, 124), number(0x0100, 2, big), Buffer.from(big ? 'MI' : 'IM')])
}

/** A compressed variable. */
export function matCompressed(variable: Buffer, big = false): Buffer {
  const bytes = deflateSync(variable)
  return Buffer.concat([number(15, 4, big), number(bytes.length, 4, big), bytes])
}

/** A whole file. */
export function matFile(values: MatRecord, { big = false, compressed = false }: MatStyle = {}): Buffer {
  const variables = Object.entries(values).map(([name, value]) => {
    const variable = matArray(name, value, big)
    return compressed ? matCompressed(variable, big) : variable
  })
  return Buffer.concat([matHeader(big), ...variables])
}
