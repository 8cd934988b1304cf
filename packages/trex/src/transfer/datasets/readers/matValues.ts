import { TrexError } from '../../../errors.js'
import type { MatValue } from './matArray.js'

const is = (where: string, what: string): never => {
  throw new TrexError(`${where} is no ${what}`)
}

/** Whole numbers from `least` to `most`, of an array of any shape. @throws TrexError saying `where` it stands. */
export function matNumbersOf(value: MatValue, least: number, most: number, where: string): number[] {
  if (value.kind !== 'numbers') return is(where, 'array of numbers')
  return Array.from(value.data, (number, i) =>
    Number.isInteger(number) && number >= least && number <= most
      ? number
      : is(`${where}(${i + 1}) = ${number}`, `whole number from ${least} to ${most}`),
  )
}

/** The whole number of an array of one. @throws TrexError saying `where` it stands. */
export function matNumber(value: MatValue, least: number, most: number, where: string): number {
  const numbers = matNumbersOf(value, least, most, where)
  return numbers.length === 1 ? numbers[0]! : is(where, 'single number')
}

/** A text of one line. @throws TrexError saying `where` it stands. */
export function matString(value: MatValue, where: string): string {
  return value.kind === 'text' && value.shape[0] === 1 && value.shape.length === 2
    ? value.text
    : is(where, 'text of one line')
}

/** The texts of a cell array. @throws TrexError saying `where` it stands. */
export function matStrings(value: MatValue, where: string): string[] {
  if (value.kind !== 'cells') return is(where, 'cell array')
  return value.cells.map((cell, i) => matString(cell, `${where}{${i + 1}}`))
}

/** The structures of an array with the fields that are needed. @throws TrexError saying `where` it stands. */
export function matStructs<Field extends string>(
  value: MatValue,
  needed: readonly Field[],
  where: string,
): Record<Field, MatValue>[] {
  if (value.kind !== 'structs') return is(where, 'array of structures')
  const columns = needed.map((field) => {
    const values = value.fields.get(field)
    return values ?? is(where, `array of structures with a field ${field}`)
  })
  return columns[0]!.map(
    (_, i) =>
      Object.fromEntries(needed.map((field, c) => [field, columns[c]![i]!])) as Record<Field, MatValue>,
  )
}
