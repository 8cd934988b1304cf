import { TrexError } from '../../errors.js'
import type { RemoteFile } from './httpFile.js'
import { HTTP_POLICY, type HttpPolicy } from './httpRetry.js'
import { showUrl } from './httpUrl.js'
import { splitTrainVal } from './imageFolder.js'
import type { Part } from './partNames.js'
import type { ImageDataset, Sample } from './sample.js'
import type { ShardIndex } from './shardIndex.js'
import { indexFile, indexUrl, someAtOnce } from './shardReading.js'
import { findShards } from './shardSpec.js'
import { openShardStream } from './shardStream.js'
import { byFolders, byLabelFiles, type ShardPart } from './webDatasetClasses.js'
import { countUnusedLabels, hasLabelFiles, imagesOf, imagesOfKeys } from './webDatasetGroups.js'
import {
  type LabelledImage,
  type LabelledParts,
  nameOf,
  problemOf,
  type ShardImage,
} from './webDatasetItem.js'
import { partsOfShards } from './webDatasetSplit.js'

/** How shards are read. */
export interface WebDatasetOptions {
  /** The part of each class that is held out where the data has no validation part; default 0.1. */
  valFraction?: number
  /** Decides what is held out; default 0. */
  seed?: number
  /** Samples that the order of an epoch is shuffled among, where shards are read from a server; default 1000. */
  shuffleBuffer?: number
  signal?: AbortSignal
  /** Default: HTTP_POLICY. */
  http?: Partial<HttpPolicy>
}

interface Shard {
  readonly archive: string
  readonly index: ShardIndex
  readonly part: Part | null
  readonly file: RemoteFile | null
  readonly path: string
}

/**
 * Reads a data set in tar archives, of which nothing is unpacked: WebDataset shards (KEY.jpg with KEY.cls or KEY.json)
 * or archives of class folders, in files or on http(s) servers, as `findShards` finds them. Shards, else top folders, called
 * train and val decide the parts; otherwise `valFraction` of each class is held out by `seed`. From class folders come
 * the samples, in the order, of `readImageDataset` on the unpacked tree. Images on servers are in the order of shards,
 * and `stream` brings their bytes. An image that must not be used (a link, a bad name, ...) is a sample with a
 * `problem`. Throws TrexError for archives, labels or answers of servers that are wrong.
 */
export async function readWebDataset(spec: string, options: WebDatasetOptions = {}): Promise<ImageDataset> {
  const { valFraction = 0.1, seed = 0, shuffleBuffer = 1000, signal } = options
  const policy = { ...HTTP_POLICY, ...options.http }
  const list = await findShards(spec)
  const isRemote = list.kind === 'urls'
  const archives = distinct(list.shards.map(showUrl))
  const parts = partsOfShards(archives)
  const ignored: Record<string, number> = {}
  const wanted = list.shards.flatMap((path, i) => {
    const archive = archives[i]!
    const part = parts?.[i] ?? null
    if (parts && part === null) {
      throw new TrexError(
        `${archive} is neither for training nor for validation by its name, as other shards are`,
        {
          hint: 'call it train-... or val-..., or name it apart from them',
        },
      )
    }
    if (part === 'test') ignored[`shard ${archive}`] = 1
    return part === 'test' ? [] : [{ path, archive, part }]
  })
  const shards = await someAtOnce(
    wanted,
    async (shard, stop): Promise<Shard> => {
      if (isRemote) return { ...shard, ...(await indexUrl(shard.path, policy, stop)) }
      return { ...shard, file: null, index: await indexFile(shard.path, stop) }
    },
    signal,
  )
  const { classes, train, val, ...rest } = labelShards(shards, ignored)
  for (const counts of [rest.ignored, ...shards.map(({ index }) => index.ignored)]) {
    for (const [kind, count] of Object.entries(counts)) ignored[kind] = (ignored[kind] ?? 0) + count
  }
  const sampleOf = toSample(shards)
  const read = val
    ? { train: train.map(sampleOf), val: val.map(sampleOf) }
    : splitWithoutBad(train, sampleOf, valFraction, seed)
  if (!isRemote) return { classes, ...read, ignored }
  const files = shards.map(({ file }) => file!)
  const inTurn = { train: byPlace(read.train, files), val: byPlace(read.val, files) }
  const stream = openShardStream({ files, train: inTurn.train, shuffleBuffer, policy })
  return { classes, ...inTurn, ignored, stream }
}

function labelShards(shards: readonly Shard[], ignored: Record<string, number>): LabelledParts {
  const perShard = shards.map(({ archive, index }, shard) => imagesOf(shard, archive, index))
  let images: readonly ShardImage[] = perShard.flat()
  const [first] = shards
  const source = first!.archive + (shards.length > 1 ? ` and ${shards.length - 1} more shards` : '')
  const usesKeys = hasLabelFiles(images)
  if (usesKeys) images = imagesOfKeys(images, ignored)
  for (const [i, { index }] of shards.entries())
    countUnusedLabels(index, usesKeys ? perShard[i]! : [], ignored)
  if (!images.some(({ member }) => !member.badName)) {
    const kinds = new Set(shards.flatMap(({ index }) => Object.keys(index.ignored)))
    const others = Array.from(kinds, (kind) => kind || 'files without an extension').slice(0, 5)
    throw new TrexError(
      `there are no images in ${source}${others.length > 0 ? `, only ${others.join(', ')}` : ''}`,
      {
        hint: 'images are members called .jpg, .jpeg, .png, .webp, .gif, .tif, .tiff or .avif',
      },
    )
  }
  const partOf = (part: Part): ShardPart => ({
    images: images.filter(({ shard }) => (shards[shard]!.part ?? 'train') === part),
    folders: shards.filter((shard) => (shard.part ?? 'train') === part).flatMap(({ index }) => index.folders),
  })
  const val = shards.some(({ part }) => part === 'val') ? partOf('val') : null
  const labelled = usesKeys ? byLabelFiles(partOf('train'), val) : byFolders(partOf('train'), val, source)
  if (labelled.train.length === 0) {
    throw new TrexError(`there are no images for training in ${source}`, {
      hint: 'check the shards called train',
    })
  }
  if (labelled.classes.length < 2) {
    throw new TrexError(
      `${source} has a single class, ${labelled.classes[0]}: there is nothing to tell apart`,
      {
        hint: 'expected class folders in the archive, or KEY.jpg with KEY.cls or KEY.json',
      },
    )
  }
  return labelled
}

function toSample(shards: readonly Shard[]): (labelled: LabelledImage) => Sample {
  return ({ image, label }) => {
    const { offset, size } = image.member
    const { path, file } = shards[image.shard]!
    const at = file
      ? ({ kind: 'remote', url: file.url, offset, length: size } as const)
      : ({ kind: 'slice', path, offset, length: size } as const)
    return { path: nameOf(image), label, at, ...problemOf(image) }
  }
}

/** Badly named images are of no class, so they play no part in the split. */
function splitWithoutBad(
  images: readonly LabelledImage[],
  sampleOf: (labelled: LabelledImage) => Sample,
  valFraction: number,
  seed: number,
): { train: Sample[]; val: Sample[] } {
  const isBad = ({ image }: LabelledImage) => image.member.badName === true
  const { train, val } = splitTrainVal(
    images.filter((image) => !isBad(image)).map(sampleOf),
    valFraction,
    seed,
  )
  return { train: [...train, ...images.filter(isBad).map(sampleOf)], val }
}

function byPlace(samples: readonly Sample[], files: readonly RemoteFile[]): Sample[] {
  const turns = new Map(files.map(({ url }, turn) => [url, turn]))
  const placeOf = ({ at }: Sample) =>
    at?.kind === 'remote' ? ([turns.get(at.url)!, at.offset] as const) : [0, 0]
  return [...samples].sort((a, b) => {
    const [[turnA, offsetA], [turnB, offsetB]] = [placeOf(a), placeOf(b)]
    return turnA! - turnB! || offsetA! - offsetB!
  })
}

/** Names of which no two are the same: addresses that differ in what is not shown get a number. */
function distinct(names: readonly string[]): string[] {
  const seen = new Map<string, number>()
  return names.map((name) => {
    const times = seen.get(name) ?? 0
    seen.set(name, times + 1)
    return times === 0 ? name : `${name}#${times + 1}`
  })
}
