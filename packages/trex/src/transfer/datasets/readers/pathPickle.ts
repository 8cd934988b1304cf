import { unpickle } from '../../../checkpoints/pickle.js'
import { pickleBudget } from '../../../checkpoints/pickleBudget.js'
import type { PickleMeaning } from '../../../checkpoints/pickleBuild.js'
import {
  checkNesting,
  PickleObject,
  PickleTuple,
  type PickleValue,
} from '../../../checkpoints/pickleValues.js'
import { TrexError } from '../../../errors.js'
import { numpyTexts } from './numpyPickle.js'
import { readWhole } from './textLines.js'

/** The paths of 5,000 concepts, in the widest of NumPy's forms, have 700 MB. */
const MAX_FILE_BYTES = 2 ** 30

/** Nothing that a pickle names has a meaning; it stays a record of what the pickle said. */
const INERT: PickleMeaning = {
  persistent() {
    throw new RangeError('it refers to something outside of it')
  },
  call: () => undefined,
}

/**
 * Reads a pickle of protocol 2 to 5 without running anything in it, and turns it into what `use` makes of its value.
 * @throws TrexError naming the file and what is wrong with it, or what `use` throws as RangeError.
 */
export async function readPickle<T>(file: string, use: (value: PickleValue) => T): Promise<T> {
  const bytes = await readWhole(file, MAX_FILE_BYTES)
  try {
    const { value, end } = unpickle(bytes, INERT, pickleBudget(bytes.length))
    if (end < bytes.length) throw new RangeError(`${bytes.length - end} bytes are left after it`)
    checkNesting(value)
    return use(value)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new TrexError(`${file} cannot be read as a pickle: ${cause.message}`, { cause })
  }
}

/** The values of a list or tuple. @throws RangeError when it is neither. */
export function itemsOf(value: PickleValue, what: string): readonly PickleValue[] {
  if (Array.isArray(value)) return value
  if (value instanceof PickleTuple) return value.items
  throw new RangeError(`${what} is no list`)
}

/** The texts of a list, a tuple or a NumPy array of one dimension. @throws RangeError when it holds anything else. */
export function textsOf(value: PickleValue, what: string): string[] {
  if (value instanceof PickleObject) return numpyTexts(value, what)
  return itemsOf(value, what).map((item) => {
    if (typeof item === 'string') return item
    if (item instanceof PickleObject) return numpyTexts(item, what)[0]!
    throw new RangeError(`${what} holds something that is no text`)
  })
}
