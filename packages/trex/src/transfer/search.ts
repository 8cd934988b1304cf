import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Device } from 'trex-torch'
import { TrexError } from '../errors.js'
import { rngFor } from '../rng.js'
import { type SeedMean, seedMean } from './confidence.js'
import type { TaskScore } from './probeTask.js'
import { fileStudy, memoryStudy, type Study, type Trial } from './study.js'
import { checkSpace, drawUniform, type Parameters, type SearchSpace, suggest } from './tpe.js'

/** What all searches are told. */
export interface SearchOptions {
  /** One search and one score each; a seed decides the validation split, the draws and the order of rows. */
  readonly seeds: readonly number[]
  /** Of each search (default 30). */
  readonly trials?: number
  /** The file of a seed's search, an Optuna journal; a search goes on where it stopped (default: kept nowhere). */
  readonly studyPath?: (seed: number) => string
  /** Default: the best device. */
  readonly device?: Device
  /**
   * As the published t-ReX evaluation did where it differs, for comparison with its numbers: its stopping rule, its
   * split, the learning rate one epoch late, and scores of trials that diverged.
   */
  readonly compat?: boolean
  /** Stops the search between two fits or epochs, with the signal's reason. */
  readonly signal?: AbortSignal
}

/** A trial has ended. */
export interface SearchProgress {
  readonly seed: number
  /** From 0. */
  readonly trial: number
  readonly trials: number
  readonly parameters: Parameters
  /** On the validation split, in per cent; null of a trial that failed. */
  readonly score: number | null
  readonly best: number | null
}

/** A seed's score on the test set, with the setting that its search chose. */
export interface SeedScore extends TaskScore {
  readonly seed: number
  /** Of the setting chosen, on the validation split, in per cent. */
  readonly validation: number
  readonly chosen: Parameters
  readonly trials: readonly Trial[]
  /** How the last fit went. */
  readonly fit: Readonly<Record<string, number>>
}

/** Test scores over the seeds, in per cent. */
export interface SearchResult {
  readonly score: SeedMean
  /** Null of several labels. */
  readonly meanPerClass: SeedMean | null
  readonly seeds: readonly SeedScore[]
}

/** One kind of probe, prepared for one seed. */
export interface SeededProbe {
  /** Fits with parameters on the training part and scores on the validation part; null when the fit failed. */
  run(parameters: Parameters): Promise<Omit<Trial, 'parameters'>>
  /** Fits on all of trainval and scores on test. */
  refit(parameters: Parameters): Promise<TaskScore & Pick<SeedScore, 'fit'>>
  dispose(): void
}

const TRIALS = 30

/** Of the values of sets, so that a study is not continued on others. */
export function fingerprint(...arrays: readonly (Float32Array | Int32Array | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const { buffer, byteOffset, byteLength } of arrays)
    hash.update(new Uint8Array(buffer, byteOffset, byteLength))
  return hash.digest('hex').slice(0, 16)
}

/** The streams of a seed's draws; 1 is the validation split's. */
export const STREAMS = { search: 2, order: 3 } as const

/** The parameters of the trials that are drawn without looking at others. */
export const startupDraw = (space: SearchSpace, seed: number, trial: number): Parameters =>
  drawUniform(space, rngFor(seed, STREAMS.search, trial))

/**
 * Tunes a probe by TPE for each seed, refits the best setting (of equals the first) and scores it once on test. Yields
 * after each trial, those of a resumed study included.
 * @throws TrexError when all trials fail, or a study's file belongs to another search.
 */
export async function* search(
  probe: (seed: number, trials: number) => SeededProbe,
  space: SearchSpace,
  settings: Readonly<Record<string, unknown>>,
  { seeds, trials = TRIALS, studyPath, signal }: SearchOptions,
): AsyncGenerator<SearchProgress, SearchResult> {
  checkSpace(space)
  if (!(seeds.length > 0 && Number.isInteger(trials) && trials > 0))
    throw new TrexError(`cannot search with ${trials} trials and ${seeds.length} seeds`, {
      hint: 'give at least one of each',
    })
  const scores: SeedScore[] = []
  for (const seed of seeds) {
    const options = { name: `probe of seed ${seed}`, space, settings: { ...settings, space, seed } }
    const study = studyPath ? fileStudy(studyPath(seed), options) : memoryStudy()
    const prepared = probe(seed, trials)
    try {
      yield* tune(prepared, study, space, { seed, trials, signal })
      const best = bestOf(study.trials.slice(0, trials))
      const { fit, ...score } = await prepared.refit(best.parameters)
      const { parameters: chosen, value: validation } = best
      scores.push({ seed, ...score, validation, chosen, trials: study.trials.slice(0, trials), fit })
    } finally {
      prepared.dispose()
    }
  }
  const perClass = scores.flatMap(({ meanPerClass }) => (meanPerClass === null ? [] : [meanPerClass]))
  return {
    score: seedMean(scores.map(({ score }) => score)),
    meanPerClass: perClass.length === scores.length ? seedMean(perClass) : null,
    seeds: scores,
  }
}

async function* tune(
  { run }: SeededProbe,
  study: Study,
  space: SearchSpace,
  { seed, trials, signal }: { seed: number; trials: number; signal: AbortSignal | undefined },
): AsyncGenerator<SearchProgress> {
  let best: number | null = null
  for (let trial = 0; trial < trials; trial++) {
    if (trial >= study.trials.length) {
      await turn(signal)
      const parameters = suggest(space, study.trials, rngFor(seed, STREAMS.search, trial))
      const { value, attributes } = await run(parameters)
      study.add({ parameters, value, attributes })
    }
    const { parameters, value: score } = study.trials[trial]!
    if (score !== null) best = Math.max(best ?? score, score)
    yield { seed, trial, trials, parameters, score, best }
  }
}

function bestOf(trials: readonly Trial[]): Trial & { value: number } {
  const finished = trials.filter((trial): trial is Trial & { value: number } => trial.value !== null)
  if (finished.length === 0)
    throw new TrexError(`none of ${trials.length} trials ended with finite numbers`, {
      hint: 'look at the features: their scale may be extreme',
    })
  return finished.reduce((a, b) => (b.value > a.value ? b : a))
}

/** Lets the event loop turn, so that signals arrive. @throws the signal's reason once it has */
export async function turn(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate()
  signal?.throwIfAborted()
}
