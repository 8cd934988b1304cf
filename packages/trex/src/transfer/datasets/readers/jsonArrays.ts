import { quoted } from '../../../checkpoints/quoted.js'
import { readFully, withRegularFile } from '../../../data/decode/regularFile.js'
import { TrexError } from '../../../errors.js'
import { jsonScanner } from './jsonScanner.js'

const CHUNK = 1 << 20
/** The annotations of COCO have 470 MB. */
const MAX_FILE_BYTES = 2 ** 31

/** An object of a JSON file. */
export type JsonItem = Readonly<Record<string, unknown>>

/**
 * Reads a JSON file of one object whose members are arrays of objects, as those of COCO and iNaturalist are, and gives
 * each object of the arrays named in `take` to its function, in order. The file is read piece by piece and only one
 * object is held at a time: COCO's polygons alone, parsed at once, would take gigabytes, and V8's longest string is
 * only a little longer than its file. Other members are passed over with their brackets and quotes balanced.
 * @throws TrexError naming the file and what is wrong: no such JSON, an array that is missing, or what `take` throws as
 * RangeError, with the place of the object.
 */
export async function readJsonArrays(
  file: string,
  take: Readonly<Record<string, (item: JsonItem) => void>>,
): Promise<void> {
  const missing = new Set(Object.keys(take))
  const scanner = jsonScanner({
    wants: (key) => Object.hasOwn(take, key),
    begin(key) {
      if (!missing.delete(key)) throw new RangeError(`${quoted(key)} is there twice`)
    },
    item(key, index, text) {
      try {
        const item: unknown = JSON.parse(text)
        if (typeof item !== 'object' || item === null || Array.isArray(item))
          throw new RangeError('it is no object')
        take[key]!(item as JsonItem)
      } catch (cause) {
        if (!(cause instanceof RangeError || cause instanceof SyntaxError)) throw cause
        throw new RangeError(`${key}[${index}]: ${cause.message}`, { cause })
      }
    },
  })
  const problem = await withRegularFile(file, async (handle, size): Promise<Error | null> => {
    if (size > MAX_FILE_BYTES) return new RangeError(`it has ${size} bytes, more than any list of images`)
    for (let at = 0; at < size; at += CHUNK) {
      const bytes = new Uint8Array(Math.min(CHUNK, size - at))
      if ((await readFully(handle, bytes, at)) < bytes.length)
        return new RangeError('it became shorter while it was read')
      try {
        scanner.push(bytes)
      } catch (error) {
        return error as Error
      }
    }
    if (!scanner.ended()) return new RangeError('it is cut short')
    return missing.size > 0 ? new RangeError(`it has no ${[...missing].map(quoted).join(', ')}`) : null
  })
  if (problem instanceof RangeError)
    throw new TrexError(`${file} cannot be read: ${problem.message}`, { cause: problem })
  if (problem) throw problem
}

/** A whole number from 0 of an object. @throws RangeError when it is something else. */
export function countOf(item: JsonItem, key: string): number {
  const value = Object.hasOwn(item, key) ? item[key] : undefined
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw new RangeError(`its ${key} is no whole number`)
}

/** A text of an object. @throws RangeError when it is something else. */
export function stringOf(item: JsonItem, key: string): string {
  const value = Object.hasOwn(item, key) ? item[key] : undefined
  if (typeof value === 'string') return value
  throw new RangeError(`its ${key} is no text`)
}
