import { createHash } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { writeFileAtomic } from 'trex-torch/safetensors'
import { parse } from 'yaml'
import { z } from 'zod'
import { settingsYaml } from '../config.js'
import type { ImageDataset } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import { type Settings, settingsSchema } from '../settings.js'
import { currentEnvironment, environmentChanges, environmentSchema } from './environment.js'
import { otherHolder } from './runLock.js'

/**
 * A run folder: config.yaml, env.json, data.json, metrics.jsonl, checkpoints/last.safetensors, and bad-images.json if
 * images were left out.
 */
export interface Run {
  readonly dir: string
  readonly settings: Settings
  readonly data: RunData
}

/** What a run was trained on; a resumed run must find the same. */
export type RunData = Readonly<z.infer<typeof dataSchema>>

const dataSchema = z.object({
  /** The command that made the run; `trex train --resume` takes its own alone. */
  madeBy: z.enum(['train', 'demo']),
  root: z.string(),
  classes: z.array(z.string()).readonly(),
  trainImages: z.number(),
  valImages: z.number(),
  /** SHA-256 of the names and labels of all images, in their order. */
  images: z.string(),
})

/** The checkpoint a run resumes from. */
export const checkpointPath = (run: Run): string => join(run.dir, 'checkpoints', 'last.safetensors')

const metricsPath = (run: Run): string => join(run.dir, 'metrics.jsonl')

/**
 * Creates a run folder; on any error nothing of it is left.
 * @throws TrexError when the folder is in use or cannot be written, EngineError when there is no engine.
 */
export function createRun(dir: string, settings: Settings, data: RunData): Run {
  if (existsSync(dir) && !(statSync(dir).isDirectory() && readdirSync(dir).length === 0))
    throw new TrexError(`${dir} exists already`, {
      hint: existsSync(join(dir, 'config.yaml'))
        ? `continue it with \`trex train --resume ${dir}\`, or choose another --out`
        : 'choose a folder for --out that is empty or not there yet',
    })
  const env = currentEnvironment()
  try {
    mkdirSync(join(dir, 'checkpoints'), { recursive: true })
    write(join(dir, 'config.yaml'), settingsYaml(settings))
    write(join(dir, 'env.json'), `${JSON.stringify(env, null, 2)}\n`)
    write(join(dir, 'data.json'), `${JSON.stringify(data, null, 2)}\n`)
    write(join(dir, 'metrics.jsonl'), '')
  } catch (cause) {
    removeRun(dir)
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TrexError(`the run folder ${dir} cannot be written: ${reason}`, {
      hint: 'free some space or choose another --out',
      cause,
    })
  }
  return { dir, settings, data }
}

/** Removes a new run that has not made one step, so that nothing half-made is left; whether it did. */
export function discardUntrained(run: Run): boolean {
  if (otherHolder(run.dir)) return false
  if (existsSync(checkpointPath(run)) || readMetrics(run).length > 0) return false
  removeRun(run.dir)
  return true
}

const PARTS = [
  'config.yaml',
  'env.json',
  'data.json',
  'metrics.jsonl',
  'bad-images.json',
  'checkpoints',
  'lock',
]

function removeRun(dir: string): void {
  for (const name of PARTS) rmSync(join(dir, name), { recursive: true, force: true })
  try {
    rmdirSync(dir)
  } catch {} // it was never made, or is a mount point, which stays
}

/** Whether a run has a checkpoint to go on from, or has lost the one it had: then it cannot start anew unnoticed. */
export function hadCheckpoint(run: Run): boolean {
  return existsSync(checkpointPath(run)) || readMetrics(run).some(({ epoch }) => epoch > 0)
}

/**
 * What is different here from where the run was started and may change its last digits, in words; empty if nothing.
 * @throws TrexError when env.json is damaged.
 */
export function changesSince(run: Run): string[] {
  if (!existsSync(join(run.dir, 'env.json'))) return []
  const before = readPart(run.dir, 'env.json', JSON.parse, environmentSchema)
  return environmentChanges(before, currentEnvironment())
}

/** What a run records of its images; paths are taken relative to `root`. */
export function describeData(
  madeBy: RunData['madeBy'],
  root: string,
  { classes, train, val }: ImageDataset,
): RunData {
  const hash = createHash('sha256')
  for (const { path, label } of [...train, ...val]) hash.update(`${relative(root, path)}\0${label}\n`)
  const counts = { trainImages: train.length, valImages: val.length }
  return { madeBy, root, classes, ...counts, images: hash.digest('hex') }
}

/** Opens a run folder to go on with it. @throws TrexError when it is none, or its files are damaged. */
export function openRun(dir: string): Run {
  return {
    dir,
    settings: readPart(dir, 'config.yaml', parse, settingsSchema),
    data: readPart(dir, 'data.json', JSON.parse, dataSchema),
  }
}

function readPart<T>(
  dir: string,
  name: string,
  parseText: (text: string) => unknown,
  schema: z.ZodType<T>,
): T {
  const path = join(dir, name)
  if (!existsSync(path))
    throw new TrexError(`${dir} is not a run: it has no ${name}`, {
      hint: 'give the folder that --out named',
    })
  try {
    return schema.parse(parseText(readFileSync(path, 'utf8')))
  } catch (cause) {
    const issue = cause instanceof z.ZodError ? cause.issues[0] : undefined
    const reason = issue
      ? `${issue.path.join('.')}: ${issue.message}`
      : (cause as Error).message.split('\n')[0]
    throw new TrexError(`${path} is damaged: ${reason}`, {
      hint: 'restore it from a copy, or start a new run',
      cause,
    })
  }
}

/**
 * Appends one row to metrics.jsonl and returns the file's length afterwards.
 * @throws TrexError when the disk refuses.
 */
export function logMetrics(run: Run, row: Record<string, unknown>): number {
  const path = metricsPath(run)
  try {
    appendFileSync(path, `${JSON.stringify(row)}\n`)
    return statSync(path).size
  } catch (cause) {
    throw new TrexError(`${path} cannot be written: ${(cause as Error).message}`, {
      hint: `free some space, then continue with \`trex train --resume ${run.dir}\``,
      cause,
    })
  }
}

/** Cuts metrics.jsonl to the rows of the checkpoint that is resumed; rows that it has lost stay lost. */
export function truncateMetrics(run: Run, bytes: number): void {
  const path = metricsPath(run)
  if (existsSync(path) && statSync(path).size > bytes) truncateSync(path, bytes)
}

/** The rows of metrics.jsonl; one that is cut short, as a full disk leaves it, is left out. */
export function readMetrics(run: Run): MetricsRow[] {
  const path = metricsPath(run)
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
  return lines.map((line) => JSON.parse(line) as MetricsRow)
}

/** A row of metrics.jsonl; losses are nats, accuracies per cent. */
export type MetricsRow =
  | { kind: 'step'; epoch: number; step: number; loss: number; lr: number; imagesPerSecond: number }
  | ({
      kind: 'epoch'
      epoch: number
      step: number
      loss: number
      seconds: number
    } & Partial<ValidationScores>)

/** The training task on the validation images, weighted by image. */
export interface ValidationScores {
  readonly top1: number
  readonly top5: number
  readonly valLoss: number
}

function write(path: string, text: string): void {
  writeFileAtomic(path, [new TextEncoder().encode(text)])
}
