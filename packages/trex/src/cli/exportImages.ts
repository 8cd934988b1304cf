import { readdirSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import { IMAGE_EXTENSIONS } from '../data/sources/imageFolder.js'
import type { Sample, SampleStream } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import type { FoundModel } from './findModel.js'
import { openRunData } from './runData.js'

/** Some images, for a graph. */
export interface GraphImages {
  readonly samples: readonly Sample[]
  readonly stream?: SampleStream
  /** Where they are from, in words. */
  readonly source: string
}

/** What images of a graph are for: the flag that names a folder of them, the run's part, how many, and what else to do. */
export interface ImageUse {
  readonly flag: '--images' | '--calibrate'
  readonly part: 'validation' | 'training'
  readonly most: number
  readonly why: string
  readonly else: string
}

/** Those that a graph is compared on; neighbours, which int8 is judged by, need more. */
export const comparing = (int8: boolean): ImageUse => ({
  ...{ flag: '--images', part: 'validation', most: int8 ? 256 : 64, why: 'compare the graph on' },
  else: ', or write the graph without a comparison: --unverified',
})

/** Those that decide the ranges of int8. */
export const CALIBRATING: ImageUse = {
  ...{ flag: '--calibrate', part: 'training', most: 128, why: 'calibrate int8 on' },
  else: ', or leave activations float32: --calibrate none',
}

/**
 * Finds images: in a folder, or of a run those of the part, or of the other one where that is empty; evenly from all.
 * Rejects with TrexError when there are none.
 */
export async function graphImages(
  path: string,
  { run }: FoundModel,
  folder: string | undefined,
  use: ImageUse,
): Promise<GraphImages> {
  const hint = `name a folder of images with ${use.flag}${use.else}`
  if (folder !== undefined) {
    const samples = imagesIn(folder, use.flag)
    if (samples.length === 0) throw new TrexError(`there are no images in ${folder}`, { hint })
    return chosen(samples, use, `images of ${use.flag}`)
  }
  if (!run) throw new TrexError(`there are no images to ${use.why} for ${path}`, { hint })
  try {
    const { train, val, stream } = await openRunData(run)
    const validation = val.length > 0 && (use.part === 'validation' || train.length === 0)
    const images = validation ? chosen(val, use, 'validation images') : chosen(train, use, 'training images')
    return { ...images, ...(stream && { stream }) }
  } catch (cause) {
    if (!(cause instanceof TrexError)) throw cause
    throw new TrexError(`there are no images to ${use.why} for ${path}: ${cause.message}`, { hint, cause })
  }
}

function imagesIn(folder: string, flag: string): Sample[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new TrexError(`there is no folder ${folder}`, { hint: `give one with images to ${flag}` })
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => IMAGE_EXTENSIONS.includes(extname(name).toLowerCase()))
    .sort()
    .map((name) => ({ path: join(folder, name), label: 0 }))
}

function chosen(samples: readonly Sample[], { most }: ImageUse, what: string): GraphImages {
  const count = Math.min(most, samples.length)
  const some = Array.from({ length: count }, (_, i) => samples[Math.floor((i * samples.length) / count)]!)
  return { samples: some, source: `${count} of ${samples.length} ${what}` }
}
