import { TrexError } from '../errors.js'
import { settingsSchema } from '../settings.js'
import { failedBatchPath } from '../train/failure.js'
import { type ReplayReport, replay } from '../train/replay.js'
import { openRun, type Run } from '../train/run.js'
import { endQuietly } from './follow.js'
import { print } from './print.js'
import { type Progress, startProgress } from './progress.js'
import { openRunData } from './runData.js'

/** The options of `trex replay` as commander gives them. */
export interface ReplayFlags {
  precision?: string
  json?: boolean
}

/** Does what `trex replay` was asked. */
export async function runReplay(dir: string, place: string | undefined, flags: ReplayFlags): Promise<void> {
  const recorded = openRun(dir)
  const run = { ...recorded, settings: { ...recorded.settings, precision: precisionOf(recorded, flags) } }
  const data = await openRunData(run, place)
  const steps = replay(run, data)
  let progress: Progress | undefined
  try {
    for (;;) {
      const { value, done } = await steps.next()
      if (done) {
        progress?.stop()
        return await print(flags.json ? JSON.stringify(value, null, 2) : inWords(value, run))
      }
      progress ??= startProgress('replay', value.steps)
      progress.update(value.done, 'steps')
    }
  } catch (error) {
    await endQuietly(steps)
    throw error
  } finally {
    progress?.stop()
  }
}

function precisionOf({ settings }: Run, { precision }: ReplayFlags): Run['settings']['precision'] {
  if (precision === undefined) return settings.precision
  const { data } = settingsSchema.shape.precision.safeParse(precision)
  if (data) return data
  throw new TrexError(`there is no precision ${precision}`, { hint: 'choose fp32, bf16 or fp16' })
}

function inWords(report: ReplayReport, run: Run): string {
  const { failure, from, loss, before, sameImages, badWeights, largestWeight, output } = report
  const again = loss === failure.loss ? `${loss}, as before` : `${loss}; it was ${failure.loss}`
  const kept = failedBatchPath(run)
  const images =
    sameImages === null
      ? `${kept} is not there to compare the images with`
      : `the ${failure.images.length} images are ${sameImages ? 'the same, bit for bit' : 'NOT the same'} (${kept})`
  const losses = before.map(({ step, loss }) => `${step}: ${loss.toPrecision(4)}`).join('  ')
  return [
    `step ${failure.step} (epoch ${failure.epoch}) again, from ${from === 0 ? 'the start' : `the checkpoint at step ${from}`}`,
    `  loss: ${again}`,
    `  learning rate: ${failure.lr}`,
    ...(losses ? [`  losses before it: ${losses}`] : []),
    `  images: ${images}`,
    `  largest weight before it: ${largestWeight.value.toPrecision(4)} in ${largestWeight.name}`,
    badWeights.length
      ? `  not finite before it: ${list(badWeights)}`
      : `  first output that is not finite: ${outputInWords(output)}`,
    `  not finite after it: ${list(report.badWeightsAfter)}`,
  ].join('\n')
}

function outputInWords(output: ReplayReport['output']): string {
  if (!output) return 'none'
  const { module, shape, count, input } = output
  const total = shape.reduce((product, size) => product * size, 1)
  return `${count} of ${total} numbers of ${module} [${shape}]; its input is in ${input.map((value) => value.toPrecision(4)).join('..')}`
}

function list(names: readonly string[]): string {
  if (names.length === 0) return 'no weight'
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
}
