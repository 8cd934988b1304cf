import type { Sample } from '../../../data/sources/sample.js'
import { rngFor } from '../../../rng.js'

/** The seed of splits that are drawn here because none is published; it never changes. */
export const SPLIT_SEED = 22
/** Sets these draws apart from those of a validation part. */
const STREAM = 0x5e7

/**
 * Splits samples by a count a class: of each class's samples, in their order, shuffled by (SPLIT_SEED, class), the first
 * `count` (all, where there are fewer) are taken. Both parts keep the order of `samples`.
 */
export function drawPerClass(
  samples: readonly Sample[],
  count: number,
): { drawn: Sample[]; others: Sample[] } {
  const byClass = new Map<number, number[]>()
  for (const [row, { label }] of samples.entries()) {
    const rows = byClass.get(label)
    if (rows) rows.push(row)
    else byClass.set(label, [row])
  }
  const taken = new Uint8Array(samples.length)
  for (const [label, rows] of byClass)
    for (const row of rngFor(SPLIT_SEED, STREAM, label).shuffle(rows).slice(0, count)) taken[row] = 1
  return {
    drawn: samples.filter((_, row) => taken[row] === 1),
    others: samples.filter((_, row) => taken[row] === 0),
  }
}
