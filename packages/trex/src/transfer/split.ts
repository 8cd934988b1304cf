import { rngFor } from '../rng.js'

/** Rows of a training and of a validation part, each ascending. */
export interface TrainValSplit {
  readonly train: Uint32Array
  readonly val: Uint32Array
}

const STREAM = 1 // sets these draws apart from those of other splits of one seed

/**
 * Draws floor(fraction * n) rows of each class for validation, at least one, at random with the seed; a class of one
 * row stays in training. A class's draw does not depend on the other classes. Throws RangeError unless
 * 0 < fraction < 1.
 */
export function splitTrainval(
  labels: Int32Array,
  { fraction = 0.2, seed }: { readonly fraction?: number; readonly seed: number },
): TrainValSplit {
  if (!(fraction > 0 && fraction < 1)) throw new RangeError(`fraction is ${fraction}, not in (0, 1)`)
  const rowsOf = new Map<number, number[]>()
  for (const [row, label] of labels.entries()) {
    const rows = rowsOf.get(label)
    if (rows) rows.push(row)
    else rowsOf.set(label, [row])
  }
  const held = new Uint8Array(labels.length)
  for (const [label, rows] of rowsOf) {
    if (rows.length === 1) continue
    const count = Math.max(1, Math.floor(fraction * rows.length))
    for (const row of rngFor(seed, STREAM, label).shuffle(rows).slice(0, count)) held[row] = 1
  }
  const rows = Uint32Array.from(labels, (_, row) => row)
  return { train: rows.filter((row) => held[row] === 0), val: rows.filter((row) => held[row] === 1) }
}
