import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { writeFileAtomic } from 'trex-torch/safetensors'
import { z } from 'zod'
import { TrexError } from '../errors.js'
import { lockRun } from '../train/runLock.js'
import { slices } from './featureFile.js'
import { identityChanges, identitySchema } from './identity.js'

/** What must be the same when an extraction goes on: also the images a batch and the engine, which decide last digits. */
const planSchema = z.strictObject({
  identity: identitySchema,
  batchSize: z.number(),
  dim: z.number(),
  computed: z.string(),
})

/** As `planSchema` has it. */
export type PartialPlan = Readonly<z.infer<typeof planSchema>>

const progressSchema = z.strictObject({
  plan: planSchema,
  /** Images that are done, and how many of them have a row. */
  done: z.number(),
  rows: z.number(),
  leftOut: z.array(z.strictObject({ index: z.number(), path: z.string(), reason: z.string() })),
})

type Progress = z.infer<typeof progressSchema>

/** The features of an unfinished extraction beside the file that they will be in. */
export interface PartialFeatures extends Disposable {
  /** Images that an earlier process has done. */
  readonly resumedAt: number
  readonly leftOut: Progress['leftOut']
  /** Rows that are written. */
  readonly rows: number
  /** Appends the rows [B, dim] of images up to place `done`, with those among them that have no row. */
  append(rows: Float32Array, done: number, leftOut: Progress['leftOut']): void
  /** The bytes of all rows. */
  read(): Iterable<Uint8Array>
  /** Removes it; the work is done. */
  remove(): void
}

/** Seconds between two points from which a killed extraction goes on. */
const COMMIT_SECONDS = 2

/**
 * Opens the unfinished features of `file`, from where an earlier process has committed them, for this process alone: rows
 * in FOLDER/.NAME.partial/features.f32 and how far they are in progress.json, synced every 2 seconds and when disposed.
 * @throws TrexError when another process is at it, it is of another extraction, damaged, or cannot be written.
 */
export function openPartial(file: string, plan: PartialPlan): PartialFeatures {
  const dir = folderOf(file)
  const data = join(dir, 'features.f32')
  writing(dir, () => mkdirSync(dir, { recursive: true }))
  const lock = lockRun(dir)
  try {
    let progress = readProgress(dir, data, plan)
    const resumedAt = progress.done
    const bytes = (rows: number) => rows * plan.dim * 4
    const opened = writing(dir, () => openSync(data, 'a+'))
    writing(dir, () => ftruncateSync(opened, bytes(progress.rows)))
    let [committed, changed, open] = [performance.now(), false, true]
    const commit = () => {
      if (!changed) return
      writing(dir, () => {
        fsyncSync(opened)
        const text = JSON.stringify(progress)
        writeFileAtomic(join(dir, PROGRESS), [new TextEncoder().encode(text)])
      })
      ;[committed, changed] = [performance.now(), false]
    }
    const close = () => {
      if (open) closeSync(opened)
      open = false
      lock[Symbol.dispose]()
    }
    return {
      resumedAt,
      get leftOut() {
        return progress.leftOut
      },
      get rows() {
        return progress.rows
      },
      append({ buffer, byteOffset, byteLength }, done, leftOut) {
        const piece = new Uint8Array(buffer, byteOffset, byteLength)
        writing(dir, () => {
          for (let at = 0; at < byteLength; ) at += writeSync(opened, piece, at)
        })
        const rows = progress.rows + byteLength / bytes(1)
        progress = { plan, done, rows, leftOut: [...progress.leftOut, ...leftOut] }
        changed = true
        if (performance.now() - committed > 1000 * COMMIT_SECONDS) commit()
      },
      read: () => slices(data, 0, bytes(progress.rows)),
      remove() {
        changed = false
        close()
        rmSync(dir, { recursive: true, force: true })
      },
      [Symbol.dispose]() {
        try {
          if (open) commit()
        } catch {} // what was committed before stays
        close()
      },
    }
  } catch (error) {
    lock[Symbol.dispose]()
    throw error
  }
}

/** Removes the unfinished features of a file that is complete. */
export const removePartial = (file: string): void => rmSync(folderOf(file), { recursive: true, force: true })

const folderOf = (file: string): string => join(dirname(file), `.${basename(file)}.partial`)

const PROGRESS = 'progress.json'

function readProgress(dir: string, data: string, plan: PartialPlan): Progress {
  const path = join(dir, PROGRESS)
  if (!existsSync(path)) return { plan, done: 0, rows: 0, leftOut: [] }
  let progress: Progress
  try {
    progress = progressSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw new TrexError(`${path} is damaged`, { hint: `remove ${dir} to start again`, cause })
  }
  const { identity, ...sizes } = progress.plan
  const changes: string[] = identityChanges(identity, plan.identity)
  if (sizes.batchSize !== plan.batchSize) changes.push(`batch size (it was ${sizes.batchSize})`)
  if (sizes.computed !== plan.computed) changes.push(`engine (it was ${sizes.computed})`)
  if (changes.length)
    throw new TrexError(`${dir} is an unfinished extraction with another ${changes.join(', ')}`, {
      hint: 'give the same command to finish it, choose another --out, or remove that folder',
    })
  const stored = statSync(data, { throwIfNoEntry: false })?.size ?? 0
  if (stored < progress.rows * plan.dim * 4)
    throw new TrexError(`${data} has lost what ${path} says it holds`, {
      hint: `remove ${dir} to start again`,
    })
  return progress
}

function writing<T>(dir: string, act: () => T): T {
  try {
    return act()
  } catch (cause) {
    throw new TrexError(`${dir} cannot be written: ${(cause as Error).message}`, {
      hint: 'free some space or choose another folder; what is there is kept, the same command goes on with it',
      cause,
    })
  }
}
