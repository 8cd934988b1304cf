import { bestDevice, type Device, fromTypedArray, keep, noGrad, type Tensor, tidy } from 'trex-torch'
import { TrexError } from '../errors.js'
import type { AveragePrecisionKind } from './averagePrecision.js'
import { type FeatureNormalization, type FeatureSet, normalizeFeatures } from './featureSet.js'
import { roughDtype, type SolverFit, solve } from './linearSolver.js'
import { type Design, designOf, withOnes } from './newton.js'
import { coordinates, principalAxes } from './principalAxes.js'
import { type MultiLabelSet, multiLabel, type ProbeTask, singleLabel } from './probeTask.js'
import {
  fingerprint,
  type SearchOptions,
  type SearchProgress,
  type SearchResult,
  type SeededProbe,
  search,
  startupDraw,
  turn,
} from './search.js'
import { STARTUP_TRIALS } from './tpe.js'

/** Settings of `searchLbfgsProbe`. */
export interface LbfgsProbeOptions extends SearchOptions {
  /** The smallest and the largest C (default [1e-5, 1e6]). */
  readonly cRange?: readonly [number, number]
  /** Default none, as in the paper. */
  readonly normalization?: FeatureNormalization
  /** Of sets of several labels: which average precision (default all-point). */
  readonly averagePrecision?: AveragePrecisionKind
}

/** Of the fits of trials and of the last one, as in `newton`. */
const TOLERANCE = { trial: 1e-5, last: 1e-6 }

/**
 * The probe that the paper fits by L-BFGS: multinomial logistic regression, or one logistic regression a class for
 * several labels, with an l2 penalty whose C is searched by TPE. Every fit goes to its minimum (`compat`: stops where
 * the original does).
 * @throws TrexError for sets that do not fit together or cannot be split.
 */
export async function* searchLbfgsProbe<Set extends FeatureSet | MultiLabelSet>(
  trainval: Set,
  test: Set,
  options: LbfgsProbeOptions,
): AsyncGenerator<SearchProgress, SearchResult> {
  const { cRange = [1e-5, 1e6], normalization = 'none', device = bestDevice(), compat = false } = options
  const { averagePrecision = 'all-point', signal } = options
  const space = { C: cRange }
  const [all, held] = tasksOf(trainval, test, averagePrecision)
  const inputs = inputsOf([trainval, test], normalization, { device, compat })
  const known = 'targets' in trainval ? trainval.targets : trainval.labels
  const data = options.studyPath ? fingerprint(trainval.features, known) : null
  const settings = { probe: 'lbfgs', normalization, compat, averagePrecision, data }
  try {
    const probe = (seed: number, trials: number) =>
      seeded(inputs, [all, held], { seed, trials, space, compat, device, signal })
    return yield* search(probe, space, settings, options)
  } finally {
    for (const tensor of Object.values(inputs)) tensor.dispose()
  }
}

/** What trainval's and test's rows say. @throws TrexError for sets of different widths or classes. */
export function tasksOf(
  trainval: FeatureSet | MultiLabelSet,
  test: FeatureSet | MultiLabelSet,
  kind?: AveragePrecisionKind,
): [ProbeTask, ProbeTask] {
  if (trainval.dim !== test.dim)
    throw new TrexError(`trainval has ${trainval.dim} features, test has ${test.dim}`)
  if ('targets' in trainval && 'targets' in test) {
    if (trainval.classes !== test.classes)
      throw new TrexError(`trainval has ${trainval.classes} classes, test has ${test.classes}`)
    return [multiLabel(trainval, kind), multiLabel(test, kind)]
  }
  const [a, b] = [trainval as FeatureSet, test as FeatureSet]
  const classes = 1 + [...a.labels, ...b.labels].reduce((max, label) => Math.max(max, label), 0)
  return [singleLabel(a, classes), singleLabel(b, classes)]
}

interface Inputs {
  /** Trainval's rows [n, r]. */
  readonly rows: Tensor
  /** Test's rows with a column of ones [m, r + 1]. */
  readonly test: Tensor
}

/** Both sets on trainval's principal axes, in which all seeds' fits are; `compat`: as they are, in float64. */
function inputsOf(
  sets: readonly [Pick<FeatureSet, 'features' | 'dim'>, Pick<FeatureSet, 'features' | 'dim'>],
  normalization: FeatureNormalization,
  { device, compat }: { device: Device; compat: boolean },
): Inputs {
  return tidy(() =>
    noGrad(() => {
      const [rows, test] = sets.map(({ features, dim }) => {
        const normalized = normalizeFeatures({ features, dim }, normalization).features
        return fromTypedArray(normalized, [features.length / dim, dim], { device }) // [n, d]
      }) as [Tensor, Tensor]
      if (compat) return { rows: keep(rows.to('float64')), test: keep(withOnes(test.to('float64'))) }
      const frame = principalAxes(rows)
      return { rows: keep(coordinates(rows, frame)), test: keep(withOnes(coordinates(test, frame))) }
    }),
  )
}

interface SeedOptions {
  readonly seed: number
  readonly trials: number
  readonly space: { readonly C: readonly [number, number] }
  readonly compat: boolean
  readonly device: Device
  readonly signal: AbortSignal | undefined
}

function seeded(inputs: Inputs, [all, held]: [ProbeTask, ProbeTask], options: SeedOptions): SeededProbe {
  const { seed, trials, space, compat, device, signal } = options
  const { train, val } = all.split(seed, { original: compat })
  const part = fitter(inputs.rows, all, { rows: train, compat, device })
  const valRows = tidy(() => noGrad(() => keep(withOnes(select(inputs.rows, val)))))
  // The draws that look at no trial are known ahead: fitted in ascending order each starts near its minimum, and all
  // later fits start from the nearest of them. The path depends on the seed alone, so a resumed search repeats it.
  let known: { C: number; fit: SolverFit }[] | null = null
  async function path() {
    if (known) return known
    const fits: { C: number; fit: SolverFit }[] = []
    const draws = Array.from(
      { length: Math.min(trials, STARTUP_TRIALS) },
      (_, i) => startupDraw(space, seed, i).C!,
    )
    for (const C of draws.sort((a, b) => a - b)) {
      await turn(signal)
      fits.push({ C, fit: part.fit(C, fits.at(-1)?.fit.theta, TOLERANCE.trial) })
    }
    known = fits
    return fits
  }
  async function start(C: number) {
    const distance = (other: { C: number }) => Math.abs(Math.log(other.C / C))
    return compat ? undefined : (await path()).reduce((a, b) => (distance(b) < distance(a) ? b : a))
  }
  return {
    async run({ C }) {
      const near = await start(C!)
      const fit = near?.C === C ? near!.fit : part.fit(C!, near?.fit.theta, TOLERANCE.trial)
      const { score: value } = score(valRows, fit.theta, (logits) => all.score(logits, val))
      return { value, attributes: attributesOf(C!, fit) }
    },
    async refit({ C }) {
      const near = await start(C!)
      await turn(signal)
      const whole = fitter(inputs.rows, all, { compat, device })
      try {
        const fit = whole.fit(C!, near?.fit.theta, TOLERANCE.last)
        return {
          ...score(inputs.test, fit.theta, (logits) => held.score(logits)),
          fit: attributesOf(C!, fit),
        }
      } finally {
        whole.dispose()
      }
    },
    dispose() {
      part.dispose()
      valRows.dispose()
    },
  }
}

/** Fits on some rows of x [n, r], or all. */
function fitter(
  x: Tensor,
  task: ProbeTask,
  { rows, compat, device }: { rows?: Uint32Array; compat: boolean; device: Device },
) {
  const loss = task.loss(device, rows)
  const design: Design = tidy(() =>
    noGrad(() => designOf(rows ? select(x, rows) : x, compat ? 'float64' : roughDtype(device))),
  )
  const tensors = Object.values(design).map(keep)
  const zero = new Float64Array(design.x.size(1) * task.classes)
  const stopping = compat ? 'original' : 'converged'
  return {
    fit: (C: number, start: Float64Array = zero, tolerance: number): SolverFit =>
      noGrad(() => solve(design, loss, start, { C, tolerance, stopping })),
    dispose() {
      loss.dispose()
      for (const tensor of tensors) tensor.dispose()
    },
  }
}

const select = (x: Tensor, rows: Uint32Array): Tensor =>
  x.indexSelect(0, fromTypedArray(BigInt64Array.from(rows, BigInt), [rows.length], { device: x.device }))

const score = <T>(x: Tensor, theta: Float64Array, of: (logits: Tensor) => T): T =>
  tidy(() =>
    noGrad(() => {
      const rows = x.size(1)
      const moved = fromTypedArray(theta, [rows, theta.length / rows]).to({
        dtype: x.dtype,
        device: x.device,
      })
      return of(x.matmul(moved)) // [m, C]
    }),
  )

const attributesOf = (C: number, { value, iterations, evaluations, products, converged }: SolverFit) => ({
  ...{ iterations, evaluations, products },
  objective: C * value,
  converged: Number(converged),
})
