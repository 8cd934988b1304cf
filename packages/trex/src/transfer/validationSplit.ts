import { type RowSplit, rowsByLabel, splitRows } from '../data/sources/split.js'
import { TrexError } from '../errors.js'
import { pythonShuffle } from './pythonRandom.js'

const FRACTION = 0.2

/**
 * The rows of trainval that settings are chosen on: 20 % (rounded down) of each class, at least one, at random with the
 * seed. `original` draws the very rows of the published t-ReX evaluation, with its defect: a class too small for the
 * share changes the share of all classes after it.
 * @throws TrexError when no class has two rows.
 */
export function validationSplit(labels: Int32Array, seed: number, { original = false } = {}): RowSplit {
  const split = original
    ? originalSplit(labels, seed)
    : splitRows(labels, { fraction: FRACTION, seed, stream: 1 })
  if (split.val.length === 0 || split.train.length === 0)
    throw new TrexError('no class has two training images, so nothing can be chosen', {
      hint: 'a linear probe needs at least two images of some class',
    })
  return split
}

function originalSplit(labels: Int32Array, seed: number): RowSplit {
  const shuffle = pythonShuffle(seed)
  const [train, val]: [number[], number[]] = [[], []]
  let fraction = FRACTION
  for (const [, ordered] of [...rowsByLabel(labels)].sort(([a], [b]) => a - b)) {
    const rows = shuffle(ordered)
    let held = Math.floor(rows.length * fraction)
    if (held === 0) {
      held = 1
      fraction = 1 / rows.length
    }
    train.push(...rows.slice(0, rows.length - held))
    val.push(...rows.slice(rows.length - held))
  }
  return { train: Uint32Array.from(train), val: Uint32Array.from(val) }
}
