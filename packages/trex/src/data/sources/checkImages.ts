import { DecodeError, notAnImage } from '../decode/decode.js'
import { readImageStart } from '../decode/readImageFile.js'
import { sniffContent } from '../decode/sniff.js'
import { asErrorOf } from './readEncoded.js'
import type { Sample } from './sample.js'

const AT_ONCE = 32
const START_BYTES = 2048

/** A sample that is no image, and why. */
export interface BadImage {
  /** Where it is among the samples. */
  readonly place: number
  readonly sample: Sample
  readonly error: DecodeError
}

/**
 * Reads the first bytes of every image, so that what is no image at all (text, a web page, an empty file) is found
 * before any work is done. A file that is damaged further on shows when it is decoded.
 * @throws DecodeError naming the first such file, and how many there are.
 */
export async function checkImages(samples: readonly Sample[]): Promise<void> {
  const bad = await findBadImages(samples)
  if (bad.length === 0) return
  const { error } = bad[0]!
  const others =
    bad.length > 1 ? ` (and ${bad.length - 1} more of ${samples.length} images cannot be read)` : ''
  throw new DecodeError(error.path, error.message + others, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  })
}

/**
 * The samples whose first bytes are not those of an image, that cannot be read, or have a `problem`, in the order of
 * `samples`. Only regular files are read. Images stored as pixels or on a server are taken to be good.
 */
export async function findBadImages(samples: readonly Sample[]): Promise<BadImage[]> {
  const bad: { place: number; error: DecodeError }[] = []
  let next = 0
  const reader = async () => {
    while (next < samples.length) {
      const place = next++
      const error = await problemOf(samples[place]!)
      if (error) bad.push({ place, error })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, reader))
  bad.sort((a, b) => a.place - b.place)
  return bad.map(({ place, error }) => ({ place, sample: samples[place]!, error }))
}

/** The error of a sample that is known to be bad before it is read. */
export function knownProblem({ path, problem }: Sample): DecodeError | null {
  return problem ? new DecodeError(path, problem.message, problem.hint ? { hint: problem.hint } : {}) : null
}

async function problemOf(sample: Sample): Promise<DecodeError | null> {
  const { path, at } = sample
  if (sample.problem) return knownProblem(sample)
  if (at?.kind === 'pixels' || at?.kind === 'remote') return null
  try {
    const start = at
      ? await readImageStart(at.path, Math.min(at.length, START_BYTES), at.offset)
      : await readImageStart(path, START_BYTES)
    const content = sniffContent(start)
    return content.format === null ? notAnImage(path, content) : null
  } catch (error) {
    if (error instanceof DecodeError) return at ? asErrorOf(path, error) : error
    throw error
  }
}
