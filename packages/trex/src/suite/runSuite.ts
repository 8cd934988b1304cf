import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { TrexError } from '../errors.js'
import type { ExtractionOptions } from '../features/index.js'
import type { OpenEncoder } from '../train/openEncoder.js'
import { lockRun } from '../train/runLock.js'
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
import { type OpenSet, openSet, type SetExtraction, type SetFeatures, setFeatures } from './setFeatures.js'

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
  | {
      readonly kind: 'result'
      readonly result: SetResult
      readonly found: boolean
      /** All that there is so far. */
      readonly results: TransferResults
    }
  | { readonly kind: 'failed'; readonly error: TrexError }
)

/**
 * Evaluates an encoder on data sets: features, a tuned linear probe for each seed, nearest neighbours and class means.
 * What OUT/results.json has already is not computed again; a suite that was stopped at any moment goes on to the same
 * results.json. A set that fails does not keep the others from being evaluated.
 * @throws TrexError when another process is at work in OUT, when results.json is of another model or of other settings,
 * and in the end when a set failed.
 */
export async function* runSuite(options: SuiteOptions): AsyncGenerator<SuiteEvent, TransferResults, void> {
  const { sets, out } = options
  const path = join(out, 'results.json')
  mkdirSync(join(out, 'searches'), { recursive: true })
  using _lock = lockRun(out)
  let results = begun(path, options)
  writeResults(path, results) // whose searches are there
  const failed: string[] = []
  for (const [i, found] of sets.entries()) {
    const where = { name: found.name, set: i, sets: sets.length }
    try {
      const events = evaluateSet(found, results, options)
      let event = await events.next()
      for (; !event.done; event = await events.next()) {
        if (event.value.kind === 'scores') {
          results = withSet(results, event.value.result, options)
          writeResults(path, results)
        } else yield { ...where, ...event.value }
      }
      yield { ...where, kind: 'result', results, ...event.value }
    } catch (error) {
      if (!(error instanceof TrexError) || options.extraction.signal?.aborted) throw error
      failed.push(found.name)
      yield { ...where, kind: 'failed', error }
    }
  }
  if (failed.length > 0)
    throw new TrexError(`${failed.length} of ${sets.length} sets failed: ${failed.join(', ')}`, {
      hint: 'see above what was wrong; the same command goes on, with --only without them',
    })
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
  const text = (value: unknown) => JSON.stringify(value) ?? 'none'
  const other = Object.keys(fresh.settings)
    .filter((key) => !isDeepStrictEqual(fresh.settings[key], earlier.settings[key]))
    .map((key) => `${key} (${text(earlier.settings[key])} there, ${text(fresh.settings[key])} now)`)
  if (other.length > 0)
    throw new TrexError(`${path} has results of another ${other.join(', ')}`, {
      hint: 'give the same again to go on, choose another --out, or remove it',
    })
  return { ...earlier, model: fresh.model }
}

/** The results with those of a set, in the order of the sets. */
function withSet(
  results: TransferResults,
  set: SetResult,
  { sets }: Pick<SuiteOptions, 'sets'>,
): TransferResults {
  const all = [...results.sets.filter(({ name }) => name !== set.name), set]
  const order = sets.map(({ name }) => name)
  const known = all.filter(({ name }) => order.includes(name))
  known.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
  return { ...results, sets: [...known, ...all.filter(({ name }) => !order.includes(name))] }
}

type SetEvent =
  | ({ kind: 'features' } & SetExtraction)
  | ({ kind: 'trial' } & SearchProgress)
  | { kind: 'scores'; result: SetResult }

async function* evaluateSet(
  found: FoundSet,
  { sets }: TransferResults,
  options: SuiteOptions,
): AsyncGenerator<SetEvent, { result: SetResult; found: boolean }, void> {
  const { opened, extraction, cache, seeds, k, out } = options
  const set = await openSet(found)
  const earlier = sets.find(({ name }) => name === found.name)
  if (earlier && earlier.fingerprint !== set.fingerprint)
    throw new TrexError(`the results of ${found.name} in ${join(out, 'results.json')} are of other images`, {
      hint: 'choose another --out, or remove it',
    })
  const missing = seeds.filter((seed) => !earlier?.seeds.some((done) => done.seed === seed))
  if (earlier && missing.length === 0) return { result: earlier, found: true }

  const extracting = setFeatures(set, opened, { ...extraction, cache })
  let extracted = await extracting.next()
  for (; !extracted.done; extracted = await extracting.next()) yield { kind: 'features', ...extracted.value }
  const features = extracted.value
  let result = earlier ?? { ...describe(set, features), ...neighbourScores(features, k) }
  yield { kind: 'scores', result } // of which images the searches are
  for (const seed of missing) {
    const searching = search(found, features, seed, options)
    let searched = await searching.next()
    for (; !searched.done; searched = await searching.next()) yield { kind: 'trial', ...searched.value }
    const all = [...result.seeds, seedResult(searched.value)]
    result = { ...result, seeds: all.sort((a, b) => a.seed - b.seed) }
    yield { kind: 'scores', result }
  }
  return { result, found: false }
}

function describe(
  { found, fingerprint }: OpenSet,
  { classes, parts, multiLabel, leftOut }: SetFeatures,
): Omit<SetResult, 'knn' | 'classMeans'> {
  return {
    ...{ name: found.name, classes, leftOut, fingerprint },
    probe: found.set.probe,
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
