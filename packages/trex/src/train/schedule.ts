import { TrexError } from '../errors.js'

/** What a learning-rate schedule depends on; rates are per step, `start` is the rate of the first step. */
export interface ScheduleOptions {
  readonly peak: number
  readonly final: number
  readonly epochs: number
  readonly iterationsPerEpoch: number
  readonly warmupEpochs: number
  readonly start?: number
}

/**
 * Learning rate of every step, [epochs * iterationsPerEpoch]: a linear warm-up from `start` to `peak`, both
 * included, then final + (peak - final) / 2 * (1 + cos(pi * i / n)) for i = 0..n-1 over the n remaining
 * steps. So the peak comes twice in a row, and `final` is approached but not reached.
 * @throws TrexError when the warm-up is longer than the run, or a count is no integer.
 */
export function learningRates(options: ScheduleOptions): Float64Array {
  const { peak, final, epochs, iterationsPerEpoch, warmupEpochs, start = 0 } = options
  requireCount('epochs', epochs, 1)
  requireCount('iterations per epoch', iterationsPerEpoch, 1)
  requireCount('warm-up epochs', warmupEpochs, 0)
  if (warmupEpochs > epochs) {
    throw new TrexError(`The warm-up of ${warmupEpochs} epochs is longer than the run of ${epochs}.`, {
      hint: 'Set optimizer.warmupEpochs to at most epochs; a tenth of them is usual.',
    })
  }
  const rates = new Float64Array(epochs * iterationsPerEpoch)
  const warmup = warmupEpochs * iterationsPerEpoch
  const cosine = rates.length - warmup
  const slope = warmup > 1 ? (peak - start) / (warmup - 1) : 0
  for (let i = 0; i < warmup; i++) rates[i] = start + slope * i
  if (warmup > 1) rates[warmup - 1] = peak
  for (let i = 0; i < cosine; i++) {
    rates[warmup + i] = final + ((peak - final) / 2) * (1 + Math.cos((Math.PI * i) / cosine))
  }
  return rates
}

/**
 * Weight decay of every step, [steps]: half a cosine from `start` towards `end`, which is approached but not reached,
 * over the whole run (there is no warm-up, as in DINO); `start` throughout when `end` is null.
 */
export function weightDecays({
  start,
  end,
  steps,
}: {
  readonly start: number
  readonly end: number | null
  readonly steps: number
}): Float64Array {
  if (end === null) return new Float64Array(steps).fill(start)
  return Float64Array.from(
    { length: steps },
    (_, i) => end + ((start - end) / 2) * (1 + Math.cos((Math.PI * i) / steps)),
  )
}

function requireCount(what: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return
  throw new TrexError(`${what} is ${value}, but must be an integer of at least ${least}.`, {
    hint: what.startsWith('iterations')
      ? 'Use a batch size of at most the number of training images.'
      : `Set ${what} to a whole number.`,
  })
}
