import { TrexError } from '../errors.js'
import { checkWidths, dot, inverseLengths, rowsOf, type Vectors } from './similarity.js'

/** A linear classifier: logits = weight * x + bias. */
export interface LinearHead {
  /** [C, D] */
  readonly weight: Float32Array
  /** [C]; none: zeros. */
  readonly bias?: Float32Array | undefined
  /** [C], names; default: the numbers of the classes. */
  readonly classes?: readonly string[] | undefined
}

/** Class prototypes: logits = cosine / temperature, Eq. 1 of the paper. */
export interface PrototypeHead {
  /** [C, D] */
  readonly prototypes: Float32Array
  readonly temperature: number
  /** [C], names; default: the numbers of the classes. */
  readonly classes?: readonly string[] | undefined
}

/** A class and how likely it is. */
export interface ClassScore {
  readonly class: string
  /** The class's place among the classes. */
  readonly label: number
  /** Softmax over all classes. */
  readonly score: number
}

/**
 * The classes of each feature vector [n, D] by a linear probe or by prototypes, the likeliest first, of equally likely
 * ones the first; `top` of them (default: all).
 * @throws TrexError for numbers that do not fit together, and ones that are not finite.
 */
export function classify(
  features: Vectors,
  head: LinearHead | PrototypeHead,
  { top = Number.POSITIVE_INFINITY }: { readonly top?: number } = {},
): ClassScore[][] {
  if (!(top >= 1)) throw new TrexError(`top is ${top}, not 1 or more`)
  const x = rowsOf(features, 'the features')
  const width = x.shape[1]
  const weight = 'weight' in head ? head.weight : head.prototypes
  const names = 'weight' in head ? 'the weights' : 'the prototypes'
  const count = head.classes?.length ?? weight.length / width
  const w = rowsOf({ features: weight, shape: [count, weight.length / count] }, names)
  checkWidths(x, w, ['the features', names])
  const classes = head.classes ?? Array.from({ length: count }, (_, i) => String(i))
  const logits = 'weight' in head ? linear(head, count) : cosine(head)
  return Array.from({ length: x.shape[0] }, (_, row) => {
    const values = Float64Array.from(classes, (_, c) => logits(row, c))
    const scores = softmax(values, row)
    const order = Array.from(scores.keys()).sort((a, b) => values[b]! - values[a]! || a - b)
    return order.slice(0, top).map((label) => ({ class: classes[label]!, label, score: scores[label]! }))
  })

  function linear({ bias }: LinearHead, count: number) {
    if (bias && bias.length !== count)
      throw new TrexError(`there are ${count} classes and ${bias.length} biases`)
    return (row: number, c: number) => product(row, c) + (bias?.[c] ?? 0)
  }

  function cosine({ temperature }: PrototypeHead) {
    if (!(temperature > 0)) throw new TrexError(`temperature is ${temperature}, not above 0`)
    const [u, v] = [inverseLengths(x), inverseLengths(w)]
    return (row: number, c: number) => (product(row, c) * u[row]! * v[c]!) / temperature
  }

  function product(row: number, c: number): number {
    return dot(x.features, row * width, weight, c * width, width)
  }
}

function softmax(logits: Float64Array, row: number): Float64Array {
  const largest = logits.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
  if (!logits.every(Number.isFinite))
    throw new TrexError(`the classes of feature vector ${row} are no numbers`, {
      hint: 'the features or the weights of the classifier are damaged',
    })
  const exps = logits.map((value) => Math.exp(value - largest))
  const sum = exps.reduce((total, value) => total + value, 0)
  return exps.map((value) => value / sum)
}
