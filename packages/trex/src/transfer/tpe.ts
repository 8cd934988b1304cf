import { TrexError } from '../errors.js'
import type { Rng } from '../rng.js'
import { type Interval, logDensity, parzen, sample } from './parzen.js'

/** The smallest and the largest value of each parameter, all searched on a logarithmic scale. */
export type SearchSpace = Readonly<Record<string, readonly [number, number]>>

/** Values of a space's parameters. */
export type Parameters = Readonly<Record<string, number>>

/** A finished trial. */
export interface Observation {
  readonly parameters: Parameters
  /** What is maximised; null of a trial that failed, which counts as the worst. */
  readonly value: number | null
}

/** Trials drawn uniformly before the estimators take over. */
export const STARTUP_TRIALS = 10

const CANDIDATES = 24

/** @throws TrexError unless 0 < low <= high of every parameter. */
export function checkSpace(space: SearchSpace): void {
  for (const [name, [low, high]] of Object.entries(space))
    if (!(low > 0 && high >= low && Number.isFinite(high)))
      throw new TrexError(`cannot search ${name} between ${low} and ${high}`, {
        hint: 'give a positive number and one that is not smaller',
      })
}

/** A draw from the space, uniform in the logarithms. */
export function drawUniform(space: SearchSpace, rng: Rng): Parameters {
  return fromLogs(
    space,
    Object.values(space).map(([low, high]) => rng.uniformIn(Math.log(low), Math.log(high))),
  )
}

/**
 * The next parameters of a search that maximises, by the tree-structured Parzen estimator of Bergstra et al. (NIPS
 * 2011) with Optuna's documented defaults: of 24 draws from the estimator of the best min(ceil(n / 10), 25) trials the
 * one whose density there, over that of the rest, is the highest. `joint` (default) models all parameters together
 * (Optuna: multivariate); otherwise each by itself.
 */
export function suggest(
  space: SearchSpace,
  observations: readonly Observation[],
  rng: Rng,
  { joint = true }: { readonly joint?: boolean } = {},
): Parameters {
  checkSpace(space)
  if (observations.length < STARTUP_TRIALS) return drawUniform(space, rng)
  if (joint) return best(space, observations, rng)
  const alone = Object.entries(space).map(([name, range]) => best({ [name]: range }, observations, rng))
  return Object.assign({}, ...alone)
}

function best(space: SearchSpace, observations: readonly Observation[], rng: Rng): Parameters {
  const names = Object.keys(space)
  const intervals = Object.values(space).map(
    ([low, high]): Interval => ({ low: Math.log(low), high: Math.log(high) }),
  )
  const estimator = (chosen: readonly number[]) =>
    parzen(
      [...chosen]
        .sort((a, b) => a - b)
        .map((i) => names.map((name) => Math.log(observations[i]!.parameters[name]!))),
      intervals,
    )
  const { good, rest } = rank(observations)
  const [below, above] = [estimator(good), estimator(rest)]
  const candidates = Array.from({ length: CANDIDATES }, () => sample(below, rng))
  const gains = candidates.map((point) => logDensity(below, point) - logDensity(above, point))
  return fromLogs(space, candidates[gains.indexOf(Math.max(...gains))]!)
}

/** The indices of the best tenth, at most 25, and of the others. */
function rank(observations: readonly Observation[]): { good: number[]; rest: number[] } {
  const value = (i: number) => observations[i]!.value ?? Number.NEGATIVE_INFINITY
  const order = [...observations.keys()].sort((a, b) => (value(a) === value(b) ? a - b : value(b) - value(a)))
  const count = Math.min(Math.ceil(0.1 * observations.length), 25)
  return { good: order.slice(0, count), rest: order.slice(count) }
}

/** Never outside the range by the exponential's rounding. */
function fromLogs(space: SearchSpace, logs: readonly number[]): Parameters {
  const entries = Object.entries(space).map(([name, [low, high]], d) => [
    name,
    Math.min(Math.max(Math.exp(logs[d]!), low), high),
  ])
  return Object.fromEntries(entries)
}
