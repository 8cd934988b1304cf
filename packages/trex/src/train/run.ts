import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { writeFileAtomic } from 'trex-torch/safetensors'
import { parse } from 'yaml'
import { z } from 'zod'
import { settingsYaml } from '../config.js'
import type { ImageDataset, Sample } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import { type Settings, settingsSchema } from '../settings.js'
import {
  computingEnvironment,
  currentEnvironment,
  environmentChanges,
  environmentSchema,
} from './environment.js'
import { readMetrics } from './metrics.js'
import { otherHolder } from './runLock.js'
import { isEventFile } from './tensorboard/eventFile.js'

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
export const checkpointPath = (run: Pick<Run, 'dir'>): string =>
  join(run.dir, 'checkpoints', 'last.safetensors')

/** The checkpoint of the epoch with the best validation top-1, if there is validation. */
export const bestCheckpointPath = (run: Pick<Run, 'dir'>): string =>
  join(run.dir, 'checkpoints', 'best.safetensors')

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

/**
 * Removes a run that this process has created and that has not made one step, so that nothing half-made is left; whether
 * it did. What the disk refuses is left there: the error that ended the run is what counts.
 */
export function discardUntrained(run: Run): boolean {
  if (otherHolder(run.dir)) return false
  if (existsSync(checkpointPath(run)) || readMetrics(run).length > 0) return false
  if (existsSync(join(run.dir, 'failure.json'))) return false // its first step is to be looked at
  try {
    removeRun(run.dir)
  } catch {
    return false
  }
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
  'lock.takeover',
]

function removeRun(dir: string): void {
  const events = existsSync(dir) ? readdirSync(dir).filter(isEventFile) : []
  for (const name of [...PARTS, ...events]) rmSync(join(dir, name), { recursive: true, force: true })
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
  return environmentChanges(before, computingEnvironment())
}

/** What a run records of its images: names relative to `root`, members of archives by the archive's own name. */
export function describeData(
  madeBy: RunData['madeBy'],
  root: string,
  { classes, train, val }: ImageDataset,
): RunData {
  const hash = createHash('sha256')
  for (const sample of [...train, ...val]) hash.update(`${sampleName(root, sample)}\0${sample.label}\n`)
  const counts = { trainImages: train.length, valImages: val.length }
  return { madeBy, root, classes: [...classes], ...counts, images: hash.digest('hex') }
}

/** What an image is called in its data set: relative to `root`, in an archive by the archive's own name. */
export function sampleName(root: string, { path, at }: Sample): string {
  if (at?.kind === 'slice') return relative(dirname(at.path), path)
  return at?.kind === 'remote' ? path : relative(root, path)
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

function write(path: string, text: string): void {
  writeFileAtomic(path, [new TextEncoder().encode(text)])
}
