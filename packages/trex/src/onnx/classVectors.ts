import { TrexError } from '../errors.js'
import { findName, type ReadWeight, type Rest, weightReader } from './weights.js'

/** What embeddings are compared with: their product with the vectors, of a cosine of unit embeddings, is the logits. */
export interface ClassVectors {
  readonly classes: number
  readonly cosine: boolean
  /** [C, E], divided by the temperature. */
  vectors(): Float32Array
}

/**
 * A run's prototypes as in `method/prototypes.ts` and `method/memoryBank.ts`: learned, or the normalised sums of the
 * memory bank's embeddings of each class.
 * @param classes their number; undefined: as many as the labels of the memory bank tell
 * @returns undefined where the weights have none
 * @throws TrexError when the temperature is missing
 */
export function classVectors(
  rest: Rest,
  classes: number | undefined,
  temperature: number | undefined,
): ClassVectors | undefined {
  const learned = findName(rest, 'prototypes.weight')
  const memory = findName(rest, 'prototypes.memory_bank.features')
  const found = learned ?? memory
  if (found === undefined) return undefined
  if (temperature === undefined)
    throw new TrexError('the logits of prototypes need the temperature they were trained with', {
      hint: "it is the run's setting `temperature`",
    })
  const [rows, width] = rest.get(found)!.shape as [number, number]
  const read = weightReader(rest)
  if (learned !== undefined) {
    const cosine = temperature > 0
    const weight = () => read(learned, [rows, width])
    return {
      classes: rows,
      cosine,
      vectors: () => (cosine ? unitRows(weight(), width, temperature) : weight()),
    }
  }
  const labels = labelsOf(rest, memory!)
  const count = classes ?? labels.reduce((most, label) => Math.max(most, label + 1), 0)
  const vectors = () => unitRows(sums(read, memory!, labels, [count, width]), width, temperature)
  return { classes: count, cosine: true, vectors }
}

function labelsOf(rest: Rest, memory: string): number[] {
  const { data } = rest.get(memory.replace(/features$/, 'labels')) ?? { data: new Uint8Array() }
  return Array.from(new BigInt64Array(data.slice().buffer), Number)
}

/** The sum of the rows of each class. */
function sums(
  read: ReadWeight,
  memory: string,
  labels: number[],
  [count, width]: [number, number],
): Float64Array {
  const features = read(memory, [labels.length, width])
  const sums = new Float64Array(count * width)
  for (const [row, label] of labels.entries())
    for (let i = 0; label >= 0 && label < count && i < width; i++)
      sums[label * width + i]! += features[row * width + i]!
  return sums
}

/** Rows of the length 1 / temperature; rows of zeros stay. */
function unitRows(values: Float32Array | Float64Array, width: number, temperature: number): Float32Array {
  const rows = new Float32Array(values.length)
  for (let start = 0; start < values.length; start += width) {
    let squares = 0
    for (let i = start; i < start + width; i++) squares += values[i]! ** 2
    const divisor = Math.max(Math.sqrt(squares), 1e-12) * temperature
    for (let i = start; i < start + width; i++) rows[i] = values[i]! / divisor
  }
  return rows
}
