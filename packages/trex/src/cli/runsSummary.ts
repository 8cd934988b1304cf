import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readHeader } from 'trex-torch/safetensors'
import { z } from 'zod'
import { TrexError } from '../errors.js'
import { checkpointPath, openRun, type Run } from '../train/run.js'
import { holderOf } from '../train/runLock.js'
import { digestMetrics, type EpochFigures, type MetricsDigest } from './runsMetrics.js'

/** How a run stands; `detail` says who trains it, where it resumes, or what is wrong. */
export interface RunSummary {
  readonly name: string
  readonly path: string
  readonly state: 'training' | 'stopped' | 'finished' | 'failed' | 'damaged'
  readonly detail: string
  readonly recipe: string | null
  readonly encoder: string | null
  readonly epochs: { readonly done: number; readonly total: number } | null
  /** The best validation top-1 in per cent, and its epoch, from 1. */
  readonly best: { readonly top1: number; readonly epoch: number } | null
  /** The validation top-1 of each epoch that has one. */
  readonly top1: readonly number[]
  /** Of the last row, in nats. */
  readonly loss: number | null
  /** Since the last row was written. */
  readonly ageSeconds: number | null
}

type Standing = Pick<RunSummary, 'state' | 'detail'>

const NOTHING: MetricsDigest = { epochs: [], loss: null, writtenAt: null }

/** Looks at a run without taking its lock or changing anything; whatever is wrong with it is in the summary. */
export function summarizeRun(name: string, path: string): RunSummary {
  const reasons: string[] = []
  const attempt = <T>(part: string, read: () => T): T | null => {
    try {
      return read()
    } catch (error) {
      reasons.push(reasonOf(error, part, path))
      return null
    }
  }
  const run = attempt('config.yaml', () => openRun(path))
  const metrics = attempt('metrics.jsonl', () => digestMetrics(join(path, 'metrics.jsonl'))) ?? NOTHING
  const standing = run && attempt('checkpoints/last.safetensors', () => standingOf(run, metrics.epochs))
  const { epochs, loss, writtenAt } = metrics
  return {
    name,
    path,
    ...(standing && reasons.length === 0 ? standing : { state: 'damaged', detail: reasons.join('; ') }),
    recipe: run?.settings.recipe ?? null,
    encoder: run?.settings.encoder ?? null,
    epochs: run && { done: doneOf(epochs), total: run.settings.epochs },
    best: bestOf(epochs),
    top1: epochs.flatMap(({ top1 }) => (top1 === null ? [] : [top1])),
    loss,
    ageSeconds: writtenAt === null ? null : Math.max(0, Math.round((Date.now() - writtenAt) / 1000)),
  }
}

const doneOf = (epochs: readonly EpochFigures[]) => (epochs.at(-1)?.epoch ?? -1) + 1

function bestOf(epochs: readonly EpochFigures[]): RunSummary['best'] {
  let best: RunSummary['best'] = null
  for (const { epoch, top1 } of epochs)
    if (top1 !== null && (best === null || top1 > best.top1)) best = { top1, epoch: epoch + 1 }
  return best
}

/** @throws Error when its checkpoint cannot be read. */
function standingOf(run: Run, epochs: readonly EpochFigures[]): Standing {
  const holder = holderOf(run.dir)
  if (holder) return { state: 'training', detail: `process ${holder.pid} on ${holder.host}` }
  const failure = failureOf(run.dir)
  if (failure) return { state: 'failed', detail: failure }
  const done = doneOf(epochs)
  const position = positionOf(run)
  if (!position && done > 0) throw new TrexError(`${checkpointPath(run)} is lost`)
  if (done >= run.settings.epochs) return { state: 'finished', detail: '' }
  if (run.data.madeBy === 'demo') return { state: 'stopped', detail: 'a demo is not resumed' }
  if (!position) return { state: 'stopped', detail: 'resumes from the beginning' }
  const within = position.batch ? `, step ${position.batch} of it` : ''
  return { state: 'stopped', detail: `resumes at epoch ${position.epoch + 1}${within}` }
}

/** The parts of a checkpoint's position that matter here: epochs done, and batches done of the next. */
const checkpointSchema = z.object({
  position: z.object({ epoch: z.number(), batch: z.number().optional() }),
})

/** Where a run resumes, out of its checkpoint's header; null without a checkpoint. */
function positionOf(run: Run): z.infer<typeof checkpointSchema>['position'] | null {
  const path = checkpointPath(run)
  if (!existsSync(path)) return null
  return checkpointSchema.parse(JSON.parse(readHeader(path).metadata.state ?? 'null')).position
}

const failureSchema = z.object({
  what: z.string().default('loss'),
  step: z.number(),
  loss: z.union([z.string(), z.number()]),
})

/** What failure.json says of a step that ended the run; null when there is none. */
function failureOf(dir: string): string | null {
  const path = join(dir, 'failure.json')
  if (!existsSync(path)) return null
  try {
    const { what, step, loss } = failureSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
    if (what === 'loss') return `the loss was ${loss} at step ${step}`
    return `the ${what === 'weights' ? 'weights were' : 'state was'} not finite after step ${step}`
  } catch {
    return 'failure.json says why'
  }
}

/** One line that names the part, without the run's own path. */
function reasonOf(error: unknown, part: string, dir: string): string {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return `it has no ${part}`
  const message = error instanceof z.ZodError ? 'is not of a run' : (error as Error).message.split('\n')[0]!
  const short = message.replaceAll(`${dir}/`, '').replace(`${dir} is not a run: `, '')
  return error instanceof TrexError || short.startsWith(part) ? short : `${part}: ${short}`
}
