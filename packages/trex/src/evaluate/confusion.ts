import { TrexError } from '../errors.js'

/** How often images of each class were taken for each class. */
export interface Confusion {
  readonly classes: readonly string[]
  /**
   * Images by the place `label * C + prediction` of a [C, C] matrix, of those that have any: of 21,841 classes a whole
   * matrix takes 2 GB, but there are no more entries than images.
   */
  readonly counts: ReadonlyMap<number, number>
}

/** Confusions that are still counted. */
type Counting = Confusion & { readonly counts: Map<number, number> }

/** Images of one class, by its place, that were taken for one class. */
export interface ConfusionCell {
  readonly label: number
  readonly prediction: number
  readonly images: number
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
export function emptyConfusion(classes: readonly string[]): Counting {
  return { classes, counts: new Map() }
}

/** Counts labels [N] with their predictions [N]. @throws TrexError for different lengths and unknown classes. */
export function addConfusions(
  { classes, counts }: Counting,
  labels: ArrayLike<number>,
  predictions: ArrayLike<number>,
): void {
  if (labels.length !== predictions.length)
    throw new TrexError(`cannot compare ${predictions.length} predictions with ${labels.length} labels`)
  for (let i = 0; i < labels.length; i++) {
    for (const index of [labels[i]!, predictions[i]!])
      if (!(index >= 0 && index < classes.length)) throw new TrexError(`there is no class ${index}`)
    const at = labels[i]! * classes.length + predictions[i]!
    counts.set(at, (counts.get(at) ?? 0) + 1)
  }
}

/** The sum of confusions of the same classes. */
export function sumConfusions([first, ...others]: readonly [Confusion, ...Confusion[]]): Confusion {
  const counts = new Map(first.counts)
  for (const other of others)
    for (const [at, images] of other.counts) counts.set(at, (counts.get(at) ?? 0) + images)
  return { classes: first.classes, counts }
}

/** The pairs that have images, by label and then by prediction. */
export function confusionCells({ classes, counts }: Confusion): ConfusionCell[] {
  const size = classes.length
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([at, images]) => ({ label: Math.floor(at / size), prediction: at % size, images }))
}

/** The rows of the whole matrix, one after the other. */
export function* matrixRows({ classes, counts }: Confusion): Generator<number[]> {
  for (let label = 0; label < classes.length; label++)
    yield classes.map((_, prediction) => counts.get(label * classes.length + prediction) ?? 0)
}

/** Every class with how it was recognised, in the order of the classes. */
export function classScores({ classes, counts }: Confusion): ClassScore[] {
  const size = classes.length
  const images = new Float64Array(size)
  const predicted = new Float64Array(size)
  for (const [at, count] of counts) {
    images[Math.floor(at / size)]! += count
    predicted[at % size]! += count
  }
  return classes.map((name, i) => {
    const correct = counts.get(i * size + i) ?? 0
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
export function confusedPairs(confusion: Confusion, most: number): ConfusedPair[] {
  const { classes } = confusion
  const scores = classScores(confusion)
  const wrong = confusionCells(confusion).filter(({ label, prediction }) => label !== prediction)
  return wrong
    .sort((a, b) => b.images - a.images) // stable: of equal ones the first by label and prediction
    .slice(0, most)
    .map(({ label, prediction, images }) => ({
      label: classes[label]!,
      prediction: classes[prediction]!,
      images,
      share: (100 * images) / scores[label]!.images,
    }))
}
