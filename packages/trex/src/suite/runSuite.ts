import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { TrexError } from '../errors.js'
import type { ExtractionOptions } from '../features/index.js'
import type { OpenEncoder } from '../train/openEncoder.js'
import { nearestClassMeans } from '../transfer/classMeans.js'
import { knn } from '../transfer/knn.js'
import { searchLbfgsProbe } from '../transfer/lbfgsProbe.js'
import { accuracy } from '../transfer/scores.js'
import type { SearchOptions, SearchProgress, SearchResult } from '../transfer/search.js'
import { searchSgdProbe } from '../transfer/sgdProbe.js'
import type { FoundSet } from './findSets.js'
import {
  readResults,
  type SeedResult,
  type SetResult,
  type TransferResults,
  writeResults,
} from './results.js'
import { type SetExtraction, type SetFeatures, setFeatures } from './setFeatures.js'

/** What a suite evaluates, and how. */
export interface SuiteOptions {
  /** What tables call the model. */
  readonly name: string
  /** The encoder's kind. */
  readonly encoder: string
  readonly opened: OpenEncoder
  readonly sets: readonly FoundSet[]
  readonly seeds: readonly number[]
  /** Of each search. */
  readonly trials: number
  /** Epochs of the SGD probe. */
  readonly epochs: number
  /** Neighbours that vote. */
  readonly k: number
  /** As the published evaluation did where it differs, see `SearchOptions`. */
  readonly compat: boolean
  /** Where results.json and the searches are. */
  readonly out: string
  /** Where features are kept. */
  readonly cache: string
  readonly extraction: ExtractionOptions
}

/** What happens in a suite; `set` counts from 0. */
export type SuiteEvent = { readonly name: string; readonly set: number; readonly sets: number } & (
  | ({ readonly kind: 'features' } & SetExtraction)
  | ({ readonly kind: 'trial' } & SearchProgress)
  | { readonly kind: 'result'; readonly result: SetResult; readonly found: boolean }
)

/**
 * Evaluates an encoder on data sets: features, a tuned linear probe for each seed, nearest neighbours and class means.
 * What OUT/results.json has already is not computed again; a suite that was stopped at any moment goes on to the same
 * results.json.
 * @throws TrexError when results.json is of another model, of other settings or other images, and as extraction and
 * searches do.
 */
export async function* runSuite(options: SuiteOptions): AsyncGenerator<SuiteEvent, TransferResults, void> {
  const { sets, out } = options
  const path = join(out, 'results.json')
  mkdirSync(join(out, 'searches'), { recursive: true })
  let results = begun(path, options)
  writeResults(path, results) // whose searches are there
  for (const [i, found] of sets.entries()) {
    const where = { name: found.name, set: i, sets: sets.length }
    const events = evaluateSet(found, results, options)
    let event = await events.next()
    for (; !event.done; event = await events.next()) {
      if ('result' in event.value) {
        results = withSet(results, event.value.result)
        writeResults(path, results)
      } else yield { ...where, ...event.value }
    }
    yield { ...where, kind: 'result', ...event.value }
  }
  return results
}

/** The results so far, or none. */
function begun(path: string, options: SuiteOptions): TransferResults {
  const { name, encoder, opened, trials, epochs, k, compat, extraction } = options
  const { size, normalization, autoOrient } = extraction
  const fresh: TransferResults = {
    format: 'trex-transfer-1',
    model: { name, encoder, fingerprint: opened.fingerprint },
    settings: {
      ...{ trials, epochs, k, compat, size, autoOrient },
      precision: opened.precision.dtype ?? 'float32',
      normalization: { mean: [...normalization.mean], std: [...normalization.std] },
    },
    sets: [],
  }
  if (!existsSync(path)) return fresh
  const earlier = readResults(path)
  const hint = 'choose another --out, or remove it'
  if (earlier.model.fingerprint !== opened.fingerprint)
    throw new TrexError(`${path} has the results of another model, ${earlier.model.name}`, { hint })
  const other = Object.keys(fresh.settings).filter(
    (key) => !isDeepStrictEqual(fresh.settings[key], earlier.settings[key]),
  )
  if (other.length > 0) throw new TrexError(`${path} has results of another ${other.join(', ')}`, { hint })
  return { ...earlier, model: fresh.model }
}

const withSet = (results: TransferResults, set: SetResult): TransferResults => {
  const at = results.sets.findIndex(({ name }) => name === set.name)
  return { ...results, sets: at < 0 ? [...results.sets, set] : results.sets.with(at, set) }
}

type SetEvent =
  | ({ kind: 'features' } & SetExtraction)
  | ({ kind: 'trial' } & SearchProgress)
  | { result: SetResult }

async function* evaluateSet(
  found: FoundSet,
  { sets }: TransferResults,
  options: SuiteOptions,
): AsyncGenerator<SetEvent, { result: SetResult; found: boolean }, void> {
  const { opened, extraction, cache, seeds, k, out } = options
  const extracting = setFeatures(found, opened, { ...extraction, cache })
  let extracted = await extracting.next()
  for (; !extracted.done; extracted = await extracting.next()) yield { kind: 'features', ...extracted.value }
  const features = extracted.value

  const earlier = sets.find(({ name }) => name === found.name)
  if (earlier && earlier.fingerprint !== features.fingerprint)
    throw new TrexError(`the results of ${found.name} in ${join(out, 'results.json')} are of other images`, {
      hint: 'choose another --out, or remove it',
    })
  const missing = seeds.filter((seed) => !earlier?.seeds.some((done) => done.seed === seed))
  let result = earlier ?? { ...describe(found, features), ...neighbourScores(features, k) }
  yield { result } // of which images the searches are
  for (const seed of missing) {
    const searching = search(found, features, seed, options)
    let searched = await searching.next()
    for (; !searched.done; searched = await searching.next()) yield { kind: 'trial', ...searched.value }
    const all = [...result.seeds, seedResult(searched.value)]
    result = { ...result, seeds: all.sort((a, b) => a.seed - b.seed) }
    yield { result }
  }
  return { result, found: missing.length === 0 }
}

function describe({ name, set }: FoundSet, features: SetFeatures): Omit<SetResult, 'knn' | 'classMeans'> {
  const { classes, parts, multiLabel, leftOut, fingerprint } = features
  return {
    ...{ name, classes, leftOut, fingerprint },
    probe: set.probe,
    metric: multiLabel ? 'mAP' : 'top1',
    trainval: parts.trainval.labels.length,
    test: parts.test.labels.length,
    seeds: [],
  }
}

function neighbourScores(
  { parts, multiLabel }: SetFeatures,
  k: number,
): Pick<SetResult, 'knn' | 'classMeans'> {
  if (multiLabel) return { knn: null, classMeans: null }
  const { trainval, test } = parts
  const [votes] = knn(test, trainval, [k])
  return {
    knn: accuracy(votes!.predictions, test.labels).top1,
    classMeans: accuracy(nearestClassMeans(test, trainval), test.labels).top1,
  }
}

function search(
  { name, set }: FoundSet,
  { parts, multiLabel }: SetFeatures,
  seed: number,
  { trials, epochs, compat, out, opened, extraction }: SuiteOptions,
): AsyncGenerator<SearchProgress, SearchResult> {
  const { signal } = extraction
  const options: SearchOptions = {
    ...{ seeds: [seed], trials, compat, device: opened.precision.device },
    studyPath: (seed) => join(out, 'searches', `${name}-seed${seed}.journal`),
    ...(signal && { signal }),
  }
  if (multiLabel) {
    const averagePrecision = name === 'voc2007' ? 'voc2007' : 'all-point'
    return searchLbfgsProbe(multiLabel.trainval, multiLabel.test, { ...options, averagePrecision })
  }
  const { trainval, test } = parts
  return set.probe === 'sgd'
    ? searchSgdProbe(trainval, test, { ...options, epochs })
    : searchLbfgsProbe(trainval, test, options)
}

function seedResult({ seeds: [only] }: SearchResult): SeedResult {
  const { seed, score, meanPerClass, validation, chosen } = only!
  return { seed, score, meanPerClass, validation, chosen: { ...chosen } }
}
