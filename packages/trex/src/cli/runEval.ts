import { isDeepStrictEqual } from 'node:util'
import { printable } from '../data/check/printable.js'
import { collectBadImages } from '../data/loader/badImages.js'
import { lacksSecrets, withoutSecrets } from '../data/sources/httpUrl.js'
import type { ImageDataset } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import {
  type Evaluation,
  type EvaluationOptions,
  type EvaluationProgress,
  evaluate,
} from '../evaluate/evaluate.js'
import { openDataWorkers } from '../train/reading.js'
import { describeData } from '../train/run.js'
import { openData, placeOf } from './dataPlace.js'
import { checkWritable, writeEvaluation } from './evalFiles.js'
import { type EvalTarget, evalTarget } from './evalTarget.js'
import { type EvaluationRecord, evaluationText, recordJson } from './evalText.js'
import { print } from './print.js'
import { type Progress, startProgress } from './progress.js'
import type { SettingFlags } from './settingFlags.js'

/** The options of `trex eval` as commander gives them. */
export interface EvalFlags extends SettingFlags {
  checkpoint?: string
  split: EvaluationOptions['split']
  featuresOnly?: boolean
  /** False with --no-features. */
  features: boolean
  perClass?: boolean
  out?: string
  json?: boolean
}

/** Does what `trex eval` was asked. */
export async function runEval(path: string, data: string | undefined, flags: EvalFlags): Promise<void> {
  const { split, featuresOnly = false, features, checkpoint, out } = flags
  const target = evalTarget(path, checkpoint, flags)
  const { settings, run, weights } = target
  if (featuresOnly && !features)
    throw new TrexError('--features-only and --no-features leave nothing to evaluate', {
      hint: 'give one of them',
    })
  if (!run && !features)
    throw new TrexError('--no-features leaves nothing to evaluate of weights, which have no classes', {
      hint: 'leave it out',
    })
  if (out !== undefined) checkWritable(out)
  const opened = await openEvaluated(target, data)
  using loaded = target.load()
  const bad = collectBadImages(settings.data)
  await using pool = openDataWorkers(settings, { device: loaded.model.precision.device })
  const { stream } = opened.data
  const evaluation = await follow(
    evaluate(loaded.model, opened.data, {
      split,
      classify: run !== null && !featuresOnly,
      features,
      settings,
      reading: { pool, bad, ...(stream && { stream }) },
    }),
  )
  const record: EvaluationRecord = {
    ...{ evaluated: path, weights, epoch: loaded.epoch, data: opened.place, encoder: settings.encoder },
    evaluation,
    leftOut: Array.from(bad.skipped, ([image, reason]) => ({ path: image, reason })),
  }
  for (const { reason } of record.leftOut) console.error(`left out: ${printable(reason)}`)
  await print(flags.json ? recordJson(record) : evaluationText(record, flags.perClass === true))
  if (out !== undefined) writeEvaluation(out, record)
}

/** DATA, or the data of the run; `place` is what may be shown of where they are. */
async function openEvaluated(
  { run, settings }: EvalTarget,
  asked: string | undefined,
): Promise<{ data: ImageDataset; place: string }> {
  if (asked !== undefined) {
    const place = placeOf(asked)
    return { data: await openData(place, settings), place: withoutSecrets(place) }
  }
  if (!run)
    throw new TrexError('eval needs DATA, the images, for weights', { hint: 'trex eval WEIGHTS DATA' })
  const { root, madeBy } = run.data
  const hint = `give the images: trex eval ${run.dir} DATA`
  if (lacksSecrets(root)) throw new TrexError(`the run does not keep what is secret in ${root}`, { hint })
  let data: ImageDataset
  try {
    data = await openData(root, settings)
  } catch (cause) {
    if (!(cause instanceof TrexError)) throw cause
    throw new TrexError(`the data of ${run.dir} cannot be opened: ${cause.message}`, { hint, cause })
  }
  if (!isDeepStrictEqual(describeData(madeBy, root, data), run.data))
    console.error(`note: ${root} does not hold the images that ${run.dir} was started with`)
  return { data, place: root }
}

async function follow(events: AsyncGenerator<EvaluationProgress, Evaluation>): Promise<Evaluation> {
  let progress: Progress | undefined
  try {
    for (;;) {
      const { value, done } = await events.next()
      if (done) return value
      progress ??= startProgress('eval', value.total)
      progress.update(value.done, value.part === 'train' ? 'training images' : 'validation images')
    }
  } finally {
    progress?.stop()
  }
}
