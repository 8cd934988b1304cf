import { availableParallelism } from 'node:os'
import { DecodeError } from '../decode/decode.js'
import { findBadImages } from '../sources/checkImages.js'
import type { ImageDataset, Sample } from '../sources/sample.js'
import type {
  ClassCount,
  DatasetReport,
  DuplicateGroup,
  Duplicates,
  ImageRecord,
  UnreadableImage,
} from './datasetReport.js'
import { createDuplicateFinder } from './duplicates.js'
import { examine } from './examine.js'
import { createTally } from './tally.js'

/** How a data set is scanned. */
export interface ScanOptions {
  /** Read only the first bytes of each image: nothing is decoded, and duplicates are not looked for. */
  readonly quick?: boolean
  /** Images read at once (default: twice the processors). */
  readonly atOnce?: number
  /** Told how many images of how many are done. */
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: AbortSignal
}

/** Images whose first bytes are read before progress is told. */
const QUICK_CHUNK = 512

/**
 * Reads every image of both parts of a data set, several at once, and reports what there is, what cannot be read, and
 * what is there twice (by SHA-256 of the bytes). Needs about 100 bytes of memory an image. Rejects with the signal's
 * reason when it is aborted, and with TrexError when a server of shards fails for good.
 */
export async function scanDataset(dataset: ImageDataset, options: ScanOptions = {}): Promise<DatasetReport> {
  const { classes, train, val, ignored } = dataset
  const { quick = false } = options
  const sampleAt = (place: number): Sample => train[place] ?? val[place - train.length]!
  const recordOf = (place: number): ImageRecord => {
    const { path, label } = sampleAt(place)
    return { path, split: place < train.length ? 'train' : 'val', class: classes[label]! }
  }
  const total = train.length + val.length
  const failures: { place: number; error: DecodeError }[] = []
  const tally = createTally(quick ? 0 : total)
  const finder = createDuplicateFinder()
  if (quick) await readStarts(dataset, options, (place, error) => failures.push({ place, error }))
  else {
    await examineAll(dataset, options, async (place, fetch) => {
      try {
        const finding = await examine(sampleAt(place), fetch)
        tally.add(finding)
        finder.add(place, finding.digest)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        failures.push({ place, error })
      }
    })
  }
  failures.sort((a, b) => a.place - b.place)
  const unreadable = failures.map(
    ({ place, error: { message, hint } }): UnreadableImage => ({
      ...recordOf(place),
      message,
      ...(hint === undefined ? {} : { hint }),
    }),
  )
  const counts = countClasses(dataset)
  const bySize = [...counts].sort((a, b) => sizeOf(a) - sizeOf(b))
  const duplicates = quick ? null : sortDuplicates(finder.groups().map((group) => group.map(recordOf)))
  return {
    ok: unreadable.length === 0 && !duplicates?.acrossSplits,
    quick,
    images: { train: train.length, val: val.length },
    classes: counts,
    smallestClass: bySize[0] ?? null,
    largestClass: bySize.at(-1) ?? null,
    unreadable,
    ignored,
    contents: quick ? null : tally.contents(),
    duplicates,
  }
}

async function readStarts(
  { train, val }: ImageDataset,
  { onProgress, signal }: ScanOptions,
  found: (place: number, error: DecodeError) => void,
): Promise<void> {
  const total = train.length + val.length
  for (const [part, before] of [
    [train, 0],
    [val, train.length],
  ] as const)
    for (let begin = 0; begin < part.length; begin += QUICK_CHUNK) {
      signal?.throwIfAborted()
      const chunk = part.slice(begin, begin + QUICK_CHUNK)
      for (const { place, error } of await findBadImages(chunk)) found(before + begin + place, error)
      onProgress?.(before + begin + chunk.length, total)
    }
}

/** Calls `work` for each place, several at once; the bytes of images on a server are fetched front to back. */
async function examineAll(
  { train, val, stream }: ImageDataset,
  { atOnce = 2 * availableParallelism(), onProgress, signal }: ScanOptions,
  work: (place: number, fetch: () => Promise<Uint8Array>) => Promise<void>,
): Promise<void> {
  const total = train.length + val.length
  let done = 0
  for (const [part, before] of [
    [train, 0],
    [val, train.length],
  ] as const) {
    const reader = stream?.open(part, signal)
    const fetch = (place: number) => async () => {
      if (!reader) throw new Error('a data set of remote images without a stream')
      return reader.bytes(place)
    }
    let next = 0
    let failed = false
    const worker = async () => {
      try {
        while (next < part.length && !failed) {
          signal?.throwIfAborted()
          const place = next++
          await work(before + place, fetch(place))
          onProgress?.(++done, total)
        }
      } finally {
        failed = next < part.length // on an error the others stop as well
      }
    }
    try {
      await Promise.all(Array.from({ length: Math.max(1, atOnce) }, worker))
    } finally {
      await reader?.close()
    }
  }
}

function countClasses({ classes, train, val }: ImageDataset): ClassCount[] {
  const [inTrain, inVal] = [train, val].map((part) => {
    const counts = new Uint32Array(classes.length)
    for (const { label } of part) counts[label]!++
    return counts
  })
  return classes.map((name, label) => ({ name, train: inTrain![label]!, val: inVal![label]! }))
}

const sizeOf = ({ train, val }: ClassCount) => train + val

function sortDuplicates(groups: ImageRecord[][]): Duplicates {
  const all = groups.map(
    (images): DuplicateGroup => ({
      acrossSplits: images.some(({ split }) => split !== images[0]!.split),
      differentLabels: images.some((image) => image.class !== images[0]!.class),
      images,
    }),
  )
  const rank = (group: DuplicateGroup) => (group.acrossSplits ? 0 : group.differentLabels ? 1 : 2)
  const acrossSplits = all.filter((group) => group.acrossSplits).length
  return {
    acrossSplits,
    withinSplit: all.length - acrossSplits,
    differentLabels: all.filter((group) => group.differentLabels).length,
    groups: all.sort((a, b) => rank(a) - rank(b)),
  }
}
