import { existsSync, readFileSync } from 'node:fs'
import { writeFileAtomic } from 'trex-torch/safetensors'
import { z } from 'zod'
import { TrexError } from '../errors.js'

const count = z.number().int().nonnegative()

const seedSchema = z.strictObject({
  seed: count,
  /** Per cent: top-1, or mean average precision of a multi-label set. */
  score: z.number(),
  /** Per cent; null of a multi-label set. */
  meanPerClass: z.number().nullable(),
  /** Of the setting that was chosen, on the validation split, in per cent. */
  validation: z.number(),
  /** The setting that was chosen: C, or lr and weightDecay. */
  chosen: z.record(z.string(), z.number()),
})

const setSchema = z.strictObject({
  name: z.string(),
  probe: z.enum(['lbfgs', 'sgd']),
  metric: z.enum(['top1', 'mAP']),
  classes: count,
  trainval: count,
  test: count,
  /** Images of both parts that could not be read. */
  leftOut: count,
  /** Of the images and labels that the features were made of. */
  fingerprint: z.string(),
  seeds: z.array(seedSchema),
  /** Top-1 of k nearest neighbours and of nearest class means, in per cent; null of a multi-label set. */
  knn: z.number().nullable(),
  classMeans: z.number().nullable(),
})

/** What `trex transfer` found: OUT/results.json. It holds no times, so that a resumed suite gives the same bytes. */
export const resultsSchema = z.strictObject({
  format: z.literal('trex-transfer-1'),
  model: z.strictObject({
    /** What tables call it. */
    name: z.string(),
    encoder: z.string(),
    fingerprint: z.string(),
  }),
  /** All that decides the numbers besides the model and the images. */
  settings: z.record(z.string(), z.unknown()),
  sets: z.array(setSchema),
})

export type TransferResults = z.infer<typeof resultsSchema>
export type SetResult = z.infer<typeof setSchema>
export type SeedResult = z.infer<typeof seedSchema>

/** Reads a results.json. @throws TrexError when it is missing or not one. */
export function readResults(path: string): TransferResults {
  if (!existsSync(path))
    throw new TrexError(`there is no ${path}`, {
      hint: 'results.json is what `trex transfer` writes to --out',
    })
  try {
    return resultsSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    const what = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message
    throw new TrexError(`${path} is not a results.json of trex transfer: ${what}`, {
      hint: 'remove it: what was searched is in searches beside it, and is not searched again',
      cause,
    })
  }
}

/** Writes a results.json whole or not at all, its keys in the schema's order. @throws TrexError when the disk refuses. */
export function writeResults(path: string, results: TransferResults): void {
  try {
    writeFileAtomic(path, [Buffer.from(`${JSON.stringify(resultsSchema.parse(results), null, 2)}\n`)])
  } catch (cause) {
    throw new TrexError(`${path} cannot be written: ${(cause as Error).message}`, {
      hint: 'free some space, then run the same command again: it goes on where it stopped',
      cause,
    })
  }
}
