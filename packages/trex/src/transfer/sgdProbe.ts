import { bestDevice, type Device, fromTypedArray, full, keep, noGrad, type Tensor, tidy } from 'trex-torch'
import { TrexError } from '../errors.js'
import { rngFor } from '../rng.js'
import { type FeatureSet, normalizeFeatures } from './featureSet.js'
import { tasksOf } from './lbfgsProbe.js'
import { roughDtype } from './linearSolver.js'
import { withOnes } from './newton.js'
import type { ProbeTask } from './probeTask.js'
import {
  fingerprint,
  type SearchOptions,
  type SearchProgress,
  type SearchResult,
  type SeededProbe,
  STREAMS,
  search,
  turn,
} from './search.js'
import { sgdFit } from './sgd.js'

/** Settings of `searchSgdProbe`. */
export interface SgdProbeOptions extends SearchOptions {
  /** Default 100. */
  readonly epochs?: number
  /** Rows a step (default 1024). */
  readonly batch?: number
  /** Default [0.1, 100]. */
  readonly lrRange?: readonly [number, number]
  /** Default [1e-12, 1e-4]. */
  readonly weightDecayRange?: readonly [number, number]
}

/**
 * The probe that the paper fits by SGD: softmax regression on l2-normalised features, momentum 0.9, cosine schedule,
 * zero start; learning rate and weight decay are searched jointly by TPE. Trials multiply in bfloat16 where that is
 * fast; the last fit is in float32. A trial that diverges has failed.
 * @throws TrexError for sets that do not fit together or cannot be split.
 */
export async function* searchSgdProbe(
  trainval: FeatureSet,
  test: FeatureSet,
  options: SgdProbeOptions,
): AsyncGenerator<SearchProgress, SearchResult> {
  const { epochs = 100, batch = 1024, lrRange = [0.1, 100], weightDecayRange = [1e-12, 1e-4] } = options
  const { device = bestDevice(), compat = false, signal } = options
  const space = { lr: lrRange, weightDecay: weightDecayRange }
  const [all, held] = tasksOf(trainval, test)
  const inputs = [trainval, test].map((set) => inputsOf(set, device))
  const data = options.studyPath ? fingerprint(trainval.features, trainval.labels) : null
  const settings = { probe: 'sgd', epochs, batch, compat, data }
  try {
    const fit = { epochs, batch, compat, signal, labels: trainval.labels }
    return yield* search(
      (seed) => seeded(inputs[0]!, inputs[1]!, [all, held], { ...fit, seed }),
      space,
      settings,
      options,
    )
  } finally {
    for (const tensor of inputs) tensor.dispose()
  }
}

/** l2-normalised rows with a column of ones [n, d + 1]. */
const inputsOf = (set: FeatureSet, device: Device): Tensor =>
  tidy(() => {
    const { features } = normalizeFeatures(set, 'l2')
    return keep(withOnes(fromTypedArray(features, [features.length / set.dim, set.dim], { device })))
  })

interface SeedOptions {
  readonly seed: number
  readonly epochs: number
  readonly batch: number
  readonly compat: boolean
  readonly labels: Int32Array
  readonly signal: AbortSignal | undefined
}

function seeded(
  x: Tensor,
  test: Tensor,
  [all, held]: [ProbeTask, ProbeTask],
  { seed, epochs, batch, compat, labels, signal }: SeedOptions,
): SeededProbe {
  const { device } = x
  const { train, val } = all.split(seed, { original: compat })
  const products = compat ? 'float32' : roughDtype(device)
  const rows = (indices: Uint32Array) =>
    x.indexSelect(0, fromTypedArray(BigInt64Array.from(indices, BigInt), [indices.length], { device }))
  const trainRows = tidy(() => keep(rows(train).to(products)))
  const valRows = tidy(() => keep(rows(val)))

  async function fit(inputs: Tensor, targets: Int32Array, parameters: Readonly<Record<string, number>>) {
    const theta = full([x.size(1), all.classes], 0, { device }).persist() // [d + 1, C]
    const run = sgdFit(inputs, targets, theta, {
      ...{ epochs, batch, products: inputs.dtype, lateSchedule: compat },
      ...{ lr: parameters.lr!, weightDecay: parameters.weightDecay! },
      order: (epoch) => rngFor(seed, STREAMS.order, epoch).permutation(targets.length),
    })
    try {
      let loss = Number.NaN
      let next = noGrad(() => run.next())
      for (; !next.done; next = noGrad(() => run.next())) {
        loss = next.value.losses.reduce((a, b) => a + b, 0) / next.value.losses.length
        await turn(signal)
      }
      return { theta, finite: next.value, loss }
    } catch (error) {
      run.return(false)
      theta.dispose()
      throw error
    }
  }
  return {
    async run(parameters) {
      const targets = Int32Array.from(train, (row) => labels[row]!)
      const { theta, finite, loss } = await fit(trainRows, targets, parameters)
      const { score } = tidy(() => noGrad(() => all.score(valRows.matmul(theta), val)))
      theta.dispose()
      const attributes: Record<string, number> = finite ? { loss } : {}
      return { value: finite || compat ? score : null, attributes }
    },
    async refit(parameters) {
      const { theta, finite, loss } = await fit(x, labels, parameters)
      const score = tidy(() => noGrad(() => held.score(test.matmul(theta))))
      theta.dispose()
      if (!finite && !compat)
        throw new TrexError(`the probe diverged on all of trainval, with ${JSON.stringify(parameters)}`, {
          hint: 'search smaller learning rates (lrRange)',
        })
      return { ...score, fit: { loss } }
    },
    dispose() {
      trainRows.dispose()
      valRows.dispose()
    },
  }
}
