import { TrexError } from '../errors.js'

/** How often images of each class were taken for each class. */
export interface Confusion {
  readonly classes: readonly string[]
  /** [C, C], row-major: the row is the label, the column the prediction. */
  readonly counts: Uint32Array
}

/** How one class was recognised. */
export interface ClassScore {
  readonly name: string
  /** Images of the class. */
  readonly images: number
  readonly correct: number
  /** Images of other classes that were taken for it. */
  readonly wrongly: number
  /** Per cent of its images that were recognised; null without images. */
  readonly accuracy: number | null
}

/** Images of one class that were taken for another. */
export interface ConfusedPair {
  readonly label: string
  readonly prediction: string
  readonly images: number
  /** Per cent of the images of the class. */
  readonly share: number
}

/** Confusions of no image yet. */
export function emptyConfusion(classes: readonly string[]): Confusion {
  return { classes, counts: new Uint32Array(classes.length ** 2) }
}

/** Counts labels [N] with their predictions [N]. @throws TrexError for different lengths and unknown classes. */
export function addConfusions(
  { classes, counts }: Confusion,
  labels: ArrayLike<number>,
  predictions: ArrayLike<number>,
): void {
  if (labels.length !== predictions.length)
    throw new TrexError(`cannot compare ${predictions.length} predictions with ${labels.length} labels`)
  for (let i = 0; i < labels.length; i++) {
    for (const index of [labels[i]!, predictions[i]!])
      if (!(index >= 0 && index < classes.length)) throw new TrexError(`there is no class ${index}`)
    counts[labels[i]! * classes.length + predictions[i]!]!++
  }
}

/** Every class with how it was recognised, in the order of the classes. */
export function classScores({ classes, counts }: Confusion): ClassScore[] {
  const size = classes.length
  const images = new Float64Array(size)
  const predicted = new Float64Array(size)
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) {
      const count = counts[row * size + column]!
      images[row]! += count
      predicted[column]! += count
    }
  return classes.map((name, i) => {
    const correct = counts[i * size + i]!
    const accuracy = images[i] ? (100 * correct) / images[i]! : null
    return { name, images: images[i]!, correct, wrongly: predicted[i]! - correct, accuracy }
  })
}

/** The mean accuracy in per cent of the classes that have images. @throws TrexError when none has. */
export function meanPerClass(scores: readonly ClassScore[]): number {
  const accuracies = scores.flatMap(({ accuracy }) => (accuracy === null ? [] : [accuracy]))
  if (accuracies.length === 0) throw new TrexError('no class has images')
  return accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / accuracies.length
}

/** The pairs that were confused most often, the commonest first, at most `most` of them. */
export function confusedPairs({ classes, counts }: Confusion, most: number): ConfusedPair[] {
  const size = classes.length
  const scores = classScores({ classes, counts })
  const wrong = Array.from(counts.keys()).filter(
    (at) => counts[at]! > 0 && Math.floor(at / size) !== at % size,
  )
  wrong.sort((a, b) => counts[b]! - counts[a]! || a - b)
  return wrong.slice(0, most).map((at) => {
    const row = Math.floor(at / size)
    const images = counts[at]!
    return {
      label: classes[row]!,
      prediction: classes[at % size]!,
      images,
      share: (100 * images) / scores[row]!.images,
    }
  })
}
