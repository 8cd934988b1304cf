import { TrexError } from '../../errors.js'
import { AIRCRAFT } from './sets/aircraft.js'
import { BIRDSNAP } from './sets/birdsnap.js'
import { CALTECH101 } from './sets/caltech101.js'
import { CARS196 } from './sets/cars196.js'
import { CIFAR } from './sets/cifar.js'
import { COCO } from './sets/coco.js'
import { COG } from './sets/cog.js'
import { DTD } from './sets/dtd.js'
import { EUROSAT } from './sets/eurosat.js'
import { FLOWERS } from './sets/flowers.js'
import { FOLDER } from './sets/folder.js'
import { FOOD101 } from './sets/food101.js'
import { IN1K } from './sets/in1k.js'
import { INAT } from './sets/inat.js'
import { NYU_V2 } from './sets/nyuV2.js'
import { PETS } from './sets/pets.js'
import { PLACES205 } from './sets/places205.js'
import { SUN397 } from './sets/sun397.js'
import { VOC2007 } from './sets/voc2007.js'
import type { TransferSet } from './transferSet.js'

export {
  missingOf,
  type PartTargets,
  type SetCounts,
  type SetRole,
  type TransferData,
  type TransferSet,
} from './transferSet.js'

/** All data sets that are known: the paper's training task, the 13, the two more of its table, and further ones. */
export const TRANSFER_SETS: readonly TransferSet[] = [
  IN1K,
  ...COG,
  AIRCRAFT,
  CARS196,
  DTD,
  EUROSAT,
  FLOWERS,
  PETS,
  FOOD101,
  SUN397,
  ...INAT,
  ...CIFAR,
  VOC2007,
  COCO,
  PLACES205,
  BIRDSNAP,
  NYU_V2,
  CALTECH101,
  FOLDER,
]

/** The set of a name. @throws TrexError for a name that is not known. */
export function transferSetOf(name: string): TransferSet {
  const set = TRANSFER_SETS.find((one) => one.name === name)
  if (set) return set
  throw new TrexError(`${name} is no data set that is known`, {
    hint: `known are ${TRANSFER_SETS.map((one) => one.name).join(', ')}`,
  })
}
