import { TrexError } from '../errors.js'
import { didYouMean } from '../suggest.js'
import { TRANSFER_SETS, type TransferSet, transferSetOf } from '../transfer/datasets/index.js'

/** The data set of a name. @throws TrexError with the name that may be meant. */
export function knownSet(name: string): TransferSet {
  const names = TRANSFER_SETS.map((set) => set.name)
  if (names.includes(name)) return transferSetOf(name)
  throw new TrexError(`${name} is no data set that is known${didYouMean(name, names)}`, {
    hint: 'trex datasets list shows those that are',
  })
}
