import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from 'trex-torch/safetensors'
import { z } from 'zod'
import { type BadImages, collectBadImages } from '../data/loader/badImages.js'
import { TrexError } from '../errors.js'
import type { Run } from './run.js'

/** Path and reason of the images that a run has left out: RUN/bad-images.json. */
export type BadImageList = z.infer<typeof schema>

const schema = z.array(z.strictObject({ path: z.string(), reason: z.string() }))

/**
 * The bad images of a run under its policy, with those it met before it was resumed. They are written down before each
 * checkpoint, and those met since then when this is disposed, however the work ended.
 */
export function openBadImages(run: Run): BadImages & Disposable {
  const known = readBadImages(run.dir).map(({ path, reason }): [string, string] => [path, reason])
  const bad = collectBadImages(run.settings.data, known)
  return {
    ...bad,
    [Symbol.dispose]() {
      try {
        saveBadImages(run, bad)
      } catch {} // the work has ended in another way, or the last checkpoint has said so
    },
  }
}

/** The images that a run has left out so far. @throws TrexError when the file is damaged. */
export function readBadImages(dir: string): BadImageList {
  const path = join(dir, FILE)
  if (!existsSync(path)) return []
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw new TrexError(`${path} is damaged`, { hint: 'remove it: the images are found again', cause })
  }
}

/** Writes the list if any image was left out. @throws TrexError when the disk refuses. */
export function saveBadImages(run: Run, { skipped }: BadImages): void {
  if (skipped.size === 0) return
  const list: BadImageList = Array.from(skipped, ([path, reason]) => ({ path, reason }))
  const path = join(run.dir, FILE)
  try {
    writeFileAtomic(path, [new TextEncoder().encode(`${JSON.stringify(list, null, 2)}\n`)])
  } catch (cause) {
    throw new TrexError(`${path} cannot be written: ${(cause as Error).message}`, {
      hint: `free some space, then continue with \`trex train --resume ${run.dir}\``,
      cause,
    })
  }
}

const FILE = 'bad-images.json'
