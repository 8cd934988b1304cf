import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { join } from 'node:path'
import { engineInfo } from 'trex-torch'
import { writeFileAtomic } from 'trex-torch/safetensors'
import { parse } from 'yaml'
import { settingsYaml } from '../config.js'
import { TrexError } from '../errors.js'
import { type Settings, settingsSchema } from '../settings.js'

/** A run folder: config.yaml, env.json, data.json, metrics.jsonl and checkpoints/last.safetensors. */
export interface Run {
  readonly dir: string
  readonly settings: Settings
  readonly data: RunData
}

/** What a run was trained on; a resumed run must find the same. */
export interface RunData {
  readonly root: string
  readonly classes: readonly string[]
  readonly trainImages: number
  readonly valImages: number
}

/** The checkpoint a run resumes from. */
export const checkpointPath = (run: Run): string => join(run.dir, 'checkpoints', 'last.safetensors')

const metricsPath = (run: Run): string => join(run.dir, 'metrics.jsonl')

/**
 * Creates a run folder; on any error nothing of it is left.
 * @throws TrexError when the folder is in use or cannot be written.
 */
export function createRun(dir: string, settings: Settings, data: RunData): Run {
  if (existsSync(dir) && !(statSync(dir).isDirectory() && readdirSync(dir).length === 0))
    throw new TrexError(`${dir} exists already`, {
      hint: `continue it with \`trex train --resume ${dir}\`, or choose another --out`,
    })
  const existed = existsSync(dir)
  try {
    mkdirSync(join(dir, 'checkpoints'), { recursive: true })
    const { record, ...engine } = engineInfo()
    const env = {
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
      engine,
      libtorch: record?.source,
    }
    write(join(dir, 'config.yaml'), settingsYaml(settings))
    write(join(dir, 'env.json'), `${JSON.stringify(env, null, 2)}\n`)
    write(join(dir, 'data.json'), `${JSON.stringify(data, null, 2)}\n`)
    write(join(dir, 'metrics.jsonl'), '')
  } catch (cause) {
    for (const entry of existed ? readdirSync(dir) : [])
      rmSync(join(dir, entry), { recursive: true, force: true })
    if (!existed) rmSync(dir, { recursive: true, force: true })
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TrexError(`the run folder ${dir} cannot be written: ${reason}`, {
      hint: 'free some space or choose another --out',
      cause,
    })
  }
  return { dir, settings, data }
}

/** Opens a run folder to go on with it. @throws TrexError when it is none, or its files are damaged. */
export function openRun(dir: string): Run {
  const need = (name: string) => {
    const path = join(dir, name)
    if (!existsSync(path))
      throw new TrexError(`${dir} is not a run: it has no ${name}`, {
        hint: 'give the folder that --out named',
      })
    return readFileSync(path, 'utf8')
  }
  const settings = settingsSchema.safeParse(parse(need('config.yaml')))
  if (!settings.success)
    throw new TrexError(`${join(dir, 'config.yaml')} is damaged: ${settings.error.issues[0]?.message}`)
  return { dir, settings: settings.data, data: JSON.parse(need('data.json')) as RunData }
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

/** Cuts metrics.jsonl to the rows of the checkpoint that is resumed. */
export function truncateMetrics(run: Run, bytes: number): void {
  truncateSync(metricsPath(run), bytes)
}

/** The rows of metrics.jsonl. */
export function readMetrics(run: Run): MetricsRow[] {
  const lines = readFileSync(metricsPath(run), 'utf8').split('\n')
  return lines.filter(Boolean).map((line) => JSON.parse(line) as MetricsRow)
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
