import { isDeepStrictEqual } from 'node:util'
import { lacksSecrets, withoutSecrets } from '../data/sources/httpUrl.js'
import type { ImageDataset } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import { describeData, type Run, type RunData } from '../train/run.js'
import { openData, placeOf } from './dataPlace.js'

/**
 * Opens the images of a run again, where it found them or at `place`.
 * @throws TrexError when they are not those that it was started with.
 */
export async function openRunData(run: Run, place?: string): Promise<ImageDataset> {
  const { dir, settings, data: known } = run
  if (!place && lacksSecrets(known.root))
    throw new TrexError(`the run does not keep what is secret in ${known.root}`, {
      hint: `give the whole address again: trex train DATA --resume ${dir}`,
    })
  const found = place ? placeOf(place) : known.root
  const root = withoutSecrets(found)
  const data = await openData(found, settings)
  const now = describeData(known.madeBy, root, data)
  if (!isDeepStrictEqual(now, { ...known, root }))
    throw new TrexError(`${root} does not hold the images that ${dir} was started with`, {
      hint: `it had ${imagesInWords(known)}; it now has ${imagesInWords(now)}, or other names of classes or files`,
    })
  return data
}

/** How many images of how many classes. */
export function imagesInWords({ classes, trainImages, valImages }: RunData): string {
  return `${classes.length} classes, ${trainImages} training and ${valImages} validation images`
}
