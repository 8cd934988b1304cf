import { quoted } from '../../../checkpoints/quoted.js'
import { readFully, withRegularFile } from '../../../data/decode/regularFile.js'
import { TrexError } from '../../../errors.js'

/** The largest list, of Places205, has 120 MB. */
const MAX_TEXT_BYTES = 1 << 28
const MAX_LINES = 1 << 22

/** The bytes of a regular file of at most `limit`. @throws TrexError naming it. */
export async function readWhole(file: string, limit: number): Promise<Uint8Array> {
  const found = await withRegularFile(file, async (handle, size) => {
    if (size > limit) return `${file} has ${size} bytes, more than the ${limit} that such a file may have`
    const bytes = new Uint8Array(size)
    return (await readFully(handle, bytes)) < size ? `${file} became shorter while it was read` : bytes
  })
  if (typeof found === 'string') throw new TrexError(found)
  return found
}

/** The lines of a UTF-8 text, without blanks at their ends and empty lines at its end. @throws TrexError naming it. */
export async function readLines(file: string): Promise<string[]> {
  const bytes = await readWhole(file, MAX_TEXT_BYTES)
  let count = 0
  for (const byte of bytes) if (byte === 0x0a) count++
  if (count > MAX_LINES) throw new TrexError(`${file} has ${count} lines, more than ${MAX_LINES}`)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new TrexError(`${file} is no UTF-8 text`, { cause })
  }
  const lines = text.trimEnd().split('\n')
  return lines.map((line) => line.trimEnd())
}

/** The place of a class in `classes`, from a line of a list. @throws TrexError saying `where` it stands. */
export function labelOf(labels: ReadonlyMap<string, number>, name: string, where: string): number {
  const label = labels.get(name)
  if (label === undefined)
    throw new TrexError(`${where}: ${quoted(name)} is none of the ${labels.size} classes`)
  return label
}

/** Where each class stands in a list of them. */
export const labelsOf = (classes: readonly string[]): Map<string, number> =>
  new Map(classes.map((name, label) => [name, label]))

/** A whole number in digits from `least` to `most`. @throws TrexError saying `where` it stands. */
export function wholeNumber(text: string | undefined, least: number, most: number, where: string): number {
  const value = /^\d{1,15}$/.test(text ?? '') ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new TrexError(`${where}: ${quoted(text ?? '')} is no number from ${least} to ${most}`)
}
