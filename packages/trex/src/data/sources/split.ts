import { rngFor } from '../../rng.js'

/** Rows of a training and of a validation part, each ascending. */
export interface RowSplit {
  readonly train: Uint32Array
  readonly val: Uint32Array
}

/** How rows are split; `stream` sets the draws apart from those of other splits of one seed. */
export interface SplitOptions {
  readonly fraction: number
  readonly seed: number
  readonly stream: number
}

/** The rows of each label, ascending; labels in the order in which they first come. */
export function rowsByLabel(labels: ArrayLike<number>): Map<number, number[]> {
  const rowsOf = new Map<number, number[]>()
  for (let row = 0; row < labels.length; row++) {
    const members = rowsOf.get(labels[row]!)
    if (members) members.push(row)
    else rowsOf.set(labels[row]!, [row])
  }
  return rowsOf
}

/**
 * Draws floor(fraction * n) rows of each class for validation, at least one, at random with the seed; a class of one
 * row stays in training. A class's draw does not depend on the other classes. Throws RangeError unless
 * 0 <= fraction < 1; with 0 nothing is held out.
 */
export function splitRows(labels: ArrayLike<number>, { fraction, seed, stream }: SplitOptions): RowSplit {
  if (!(fraction >= 0 && fraction < 1)) throw new RangeError(`fraction is ${fraction}, not in [0, 1)`)
  const rows = Uint32Array.from({ length: labels.length }, (_, row) => row)
  const held = new Uint8Array(labels.length)
  for (const [label, members] of rowsByLabel(labels)) {
    if (fraction === 0 || members.length === 1) continue
    const count = Math.max(1, Math.floor(fraction * members.length))
    for (const row of rngFor(seed, stream, label).shuffle(members).slice(0, count)) held[row] = 1
  }
  return { train: rows.filter((row) => held[row] === 0), val: rows.filter((row) => held[row] === 1) }
}
