import { DecodeError } from '../decode/decode.js'

/** What happens at an image that cannot be read: the work ends with its error, or goes on without it. */
export type OnBad = 'fail' | 'skip'

/** How bad images are treated. */
export interface BadImagePolicy {
  readonly onBad: OnBad
  /** With 'skip': the most images that may be left out; one more is an error. */
  readonly maxBad: number
}

/** The bad images met so far, over all loaders that share it. */
export interface BadImages {
  readonly onBad: OnBad
  /** Path and reason of each image left out, in the order they were met. */
  readonly skipped: ReadonlyMap<string, string>
  /** Takes note of a bad image, once however often it is met; throws its DecodeError when it must not be left out. */
  add(error: DecodeError): void
}

/** Bad images under a policy, by default 'fail'; `known` are those that an earlier part of the same work met. */
export function collectBadImages(
  { onBad, maxBad }: BadImagePolicy = { onBad: 'fail', maxBad: 0 },
  known: Iterable<readonly [path: string, reason: string]> = [],
): BadImages {
  const skipped = new Map(known)
  return {
    onBad,
    skipped,
    add(error) {
      if (onBad === 'fail') throw error
      if (skipped.has(error.path)) return
      if (skipped.size >= maxBad) throw tooMany(error, skipped, maxBad)
      skipped.set(error.path, error.message)
    },
  }
}

function tooMany(error: DecodeError, skipped: ReadonlyMap<string, string>, maxBad: number): DecodeError {
  const before = maxBad === 0 ? '' : `; before it: ${[...skipped.keys()].slice(0, 5).join(', ')}`
  const more = skipped.size > 5 ? ', ...' : ''
  const message = `more than ${maxBad} bad images: ${error.message}${before}${more}`
  return new DecodeError(error.path, message, {
    hint: 'look at the data with `trex datasets check DATA`, or allow more: --max-bad, or data.maxBad in RUN/config.yaml of a run to resume',
    cause: error,
  })
}
