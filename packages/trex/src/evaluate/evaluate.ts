import type { ImageDataset } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import type { Settings } from '../settings.js'
import type { ValidationReading } from '../train/reading.js'
import { nearestClassMeans } from '../transfer/classMeans.js'
import type { FeatureSet } from '../transfer/featureSet.js'
import { knn } from '../transfer/knn.js'
import { type Accuracy, accuracy } from '../transfer/scores.js'
import {
  type ClassScore,
  type ConfusedPair,
  type Confusion,
  classScores,
  confusedPairs,
  meanPerClass,
  sumConfusions,
} from './confusion.js'
import { matchClasses } from './matchClasses.js'
import { type Classified, type EvaluatedModel, type PartResult, readImages } from './readImages.js'

/** Parts of the data whose images are classified. */
export const SPLITS = ['val', 'train', 'all'] as const

/** What is asked of an evaluation. */
export interface EvaluationOptions {
  readonly split: (typeof SPLITS)[number]
  /** Whether the model's own classes are predicted; its classifier must be there. */
  readonly classify: boolean
  /** Whether nearest class means and neighbours are computed from the features of both parts. */
  readonly features: boolean
  readonly settings: Pick<Settings, 'validation' | 'batchSize' | 'channelsLast'>
  readonly reading: ValidationReading
}

/** The training task: projector and prototypes on the images of a split. */
export interface TaskScores {
  readonly images: number
  /** Per cent. */
  readonly top1: number
  readonly top5: number
  /** Nats, the mean over images. */
  readonly loss: number
  readonly meanPerClass: number
  readonly perClass: readonly ClassScore[]
  readonly confused: readonly ConfusedPair[]
  readonly confusion: Confusion
}

/** Classifiers without training, from the features of the training part to those of the validation part. */
export interface FeatureScores {
  readonly gallery: number
  readonly queries: number
  readonly classMeans: Accuracy
  readonly knn: readonly (Accuracy & { readonly k: number; readonly voters: number })[]
}

/** What an evaluation found. */
export interface Evaluation {
  readonly split: (typeof SPLITS)[number]
  readonly task: TaskScores | null
  readonly features: FeatureScores | null
  /** Why something that was asked for is missing, or is not quite that. */
  readonly notes: readonly string[]
}

/** How far an evaluation is: images read, of how many. */
export interface EvaluationProgress {
  readonly done: number
  readonly total: number
  readonly part: 'train' | 'val'
}

const KS = [1, 5, 20]
const PAIRS = 20

/**
 * Evaluates a model on a data set: top-1, top-5, loss and confusions of the training task on the images of a split, and
 * nearest class means and k nearest neighbours from the training to the validation part. It leaves the model in
 * evaluation mode.
 * @throws TrexError for a class the model has not seen, a split without images, images that cannot be read, and features
 * that are not finite.
 */
export async function* evaluate(
  model: EvaluatedModel,
  data: ImageDataset,
  { split, classify, features, settings, reading }: EvaluationOptions,
): AsyncGenerator<EvaluationProgress, Evaluation> {
  const classOf = classify ? matchClasses(data.classes, model.classifier?.classes ?? []) : null
  const compare = features && data.train.length > 0 && data.val.length > 0
  const notes =
    features && !compare ? ['no class means and neighbours: they need a training and a validation part'] : []
  const parts = (['train', 'val'] as const).map((part) => {
    const classified = classOf && (split === 'all' || split === part) ? classOf : null
    return { part, samples: data[part], wanted: { classOf: classified, features: compare } }
  })
  const read = parts.filter(
    ({ wanted, samples }) => samples.length > 0 && (wanted.classOf || wanted.features),
  )
  if (classOf && !read.some(({ wanted }) => wanted.classOf)) throw noImages(split)
  if (read.length === 0) throw new TrexError(`there is nothing to evaluate: ${notes[0] ?? 'no images'}`)
  const total = read.reduce((sum, { samples }) => sum + samples.length, 0)
  const results: Partial<Record<'train' | 'val', PartResult>> = {}
  let done = 0
  for (const { part, samples, wanted } of read) {
    const pass = readImages(model, samples, wanted, settings, reading)
    for (;;) {
      const step = await pass.next()
      if (step.done) {
        results[part] = step.value
        break
      }
      done += step.value
      yield { done, total, part }
    }
    if (results[part]!.images === 0)
      throw new TrexError(`none of the ${samples.length} images of the ${part} part can be read`)
  }
  const [task, ...tasks] = Object.values(results).flatMap(({ classified }) => classified ?? [])
  const featureScores = compare ? scoreFeatures(results.train!.features!, results.val!.features!) : null
  for (const { k, voters } of featureScores?.knn ?? [])
    if (voters < k) notes.push(`k-NN with k = ${k}: all ${voters} training images vote, as there are no more`)
  return { split, task: task ? scoreTask([task, ...tasks]) : null, features: featureScores, notes }
}

function noImages(split: EvaluationOptions['split']): TrexError {
  return new TrexError(`the data have no ${split === 'val' ? 'validation' : 'training'} images`, {
    hint:
      split === 'val' ? 'use --split train or all, or hold some out with --val-fraction' : 'use --split val',
  })
}

function scoreTask(parts: readonly [Classified, ...Classified[]]): TaskScores {
  const [first, ...others] = parts
  const confusion = sumConfusions([first.confusion, ...others.map((part) => part.confusion)])
  const perClass = classScores(confusion)
  const sum = (value: (item: ClassScore) => number) => perClass.reduce((all, item) => all + value(item), 0)
  const images = sum((item) => item.images)
  return {
    images,
    top1: (100 * sum(({ correct }) => correct)) / images,
    top5: (100 * parts.reduce((all, { hits5 }) => all + hits5, 0)) / images,
    loss: parts.reduce((all, { lossSum }) => all + lossSum, 0) / images,
    meanPerClass: meanPerClass(perClass),
    perClass,
    confused: confusedPairs(confusion, PAIRS),
    confusion,
  }
}

function scoreFeatures(gallery: FeatureSet, queries: FeatureSet): FeatureScores {
  const score = (predictions: Int32Array) => accuracy(predictions, queries.labels)
  return {
    gallery: gallery.labels.length,
    queries: queries.labels.length,
    classMeans: score(nearestClassMeans(queries, gallery)),
    knn: knn(queries, gallery, KS).map(({ k, voters, predictions }) => ({
      k,
      voters,
      ...score(predictions),
    })),
  }
}
