import { inflateSync } from 'node:zlib'
import { quoted } from '../../../checkpoints/quoted.js'
import { TrexError } from '../../../errors.js'
import { type MatBudget, type MatValue, matBudget, readMatrix } from './matArray.js'
import { COMPRESSED, MATRIX, type MatCursor, matCursor } from './matCursor.js'
import { readWhole } from './textLines.js'

const HEADER_BYTES = 128
const MAX_FILE_BYTES = 1 << 28
/** What all variables of a file may have uncompressed. */
const MAX_INFLATED = 1 << 28

/**
 * The named variables of a MATLAB file of version 5 (MATLAB writes it with `save -v6` or `-v7`, SciPy by `savemat`), of
 * either byte order, compressed or not. Others are passed over.
 * @throws TrexError naming the file and what is wrong with it: another version, broken bytes, a missing variable, or more
 * than a list of images can need.
 */
export async function readMatFile<Name extends string>(
  file: string,
  names: readonly Name[],
): Promise<Record<Name, MatValue>> {
  const bytes = await readWhole(file, MAX_FILE_BYTES)
  let found: Map<string, MatValue>
  try {
    found = parseMat(bytes, new Set(names))
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new TrexError(`${file} cannot be read as a MATLAB file: ${cause.message}`, { cause })
  }
  const missing = names.filter((name) => !found.has(name))
  if (missing.length > 0) throw new TrexError(`${file} has no variable ${missing.map(quoted).join(', ')}`)
  return Object.fromEntries(names.map((name) => [name, found.get(name)!])) as Record<Name, MatValue>
}

/** The variables of a file's bytes that are in `names`. @throws RangeError with what is wrong. */
export function parseMat(bytes: Uint8Array, names: ReadonlySet<string>): Map<string, MatValue> {
  if (bytes.length < HEADER_BYTES) throw new RangeError(`it has ${bytes.length} bytes, a header has 128`)
  const text = String.fromCharCode(...bytes.subarray(0, 116))
  if (text.startsWith('MATLAB 7.3'))
    throw new RangeError('it is of version 7.3 (HDF5): save it again with -v7')
  const order = String.fromCharCode(bytes[126]!, bytes[127]!)
  if (order !== 'IM' && order !== 'MI') throw new RangeError('it has no header of version 5')
  const little = order === 'IM'
  const version = new DataView(bytes.buffer, bytes.byteOffset).getUint16(124, little)
  if (version !== 0x0100) throw new RangeError(`it is of version 0x${version.toString(16)}, not 0x100`)

  const found = new Map<string, MatValue>()
  const budget = matBudget()
  let left = MAX_INFLATED
  const cursor = matCursor(bytes.subarray(HEADER_BYTES), little)
  while (!cursor.atEnd()) {
    let element = cursor.element(false)
    if (element.type === COMPRESSED) {
      const inflated = inflate(element.bytes, left)
      left -= inflated.length
      element = matCursor(inflated, little).element(true)
    }
    if (element.type !== MATRIX) throw new RangeError(`a variable is of type ${element.type}, not an array`)
    addVariable(matCursor(element.bytes, little), names, found, budget)
  }
  return found
}

function addVariable(
  cursor: MatCursor,
  names: ReadonlySet<string>,
  found: Map<string, MatValue>,
  budget: MatBudget,
): void {
  const value = readMatrix(cursor, budget, names)
  if (value === null) return
  if (found.has(value.name)) throw new RangeError(`two variables are called ${quoted(value.name)}`)
  found.set(value.name, value.value)
}

function inflate(bytes: Uint8Array, limit: number): Uint8Array {
  if (limit <= 0) throw new RangeError(`its variables have more than ${MAX_INFLATED} bytes`)
  try {
    return inflateSync(bytes, { maxOutputLength: limit })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new RangeError(
      code === 'ERR_BUFFER_TOO_LARGE'
        ? `its variables have more than ${MAX_INFLATED} bytes`
        : `a compressed variable is damaged (${message})`,
    )
  }
}
