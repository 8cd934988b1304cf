import { createHash } from 'node:crypto'
import {
  dataFingerprint,
  type ExtractionOptions,
  type ExtractionProgress,
  extractCached,
  readFeatureFile,
} from '../features/index.js'
import type { OpenEncoder } from '../train/openEncoder.js'
import type { TransferData } from '../transfer/datasets/index.js'
import type { FeatureSet } from '../transfer/featureSet.js'
import type { MultiLabelSet } from '../transfer/probeTask.js'
import type { FoundSet } from './findSets.js'

/** The parts of a transfer set. */
const PARTS = ['trainval', 'test'] as const
export type SetPart = (typeof PARTS)[number]

/** What the probes of a set are given: the features of its two parts. */
export interface SetFeatures {
  readonly classes: number
  readonly parts: Readonly<Record<SetPart, FeatureSet>>
  /** Of a set of several labels, with its targets in place of labels; null of others. */
  readonly multiLabel: Readonly<Record<SetPart, MultiLabelSet>> | null
  /** Images of both parts that could not be read. */
  readonly leftOut: number
}

/** A set's images, whose features are not known yet. */
export interface OpenSet {
  readonly found: FoundSet
  readonly data: TransferData
  /** Of names, sizes and labels of both parts, whatever the times of the files: a copy has the same. */
  readonly fingerprint: string
}

/** Opens a set. @throws TrexError as its reader does. */
export async function openSet(found: FoundSet): Promise<OpenSet> {
  const data = await found.set.open(found.root)
  const hash = createHash('sha256')
  for (const part of PARTS) {
    hash.update(`${dataFingerprint(found.root, data[part], data.classes, { times: false })}\n`)
    if (data.targets) hash.update(data.targets[part])
    if (data.difficult) hash.update(data.difficult[part])
  }
  return { found, data, fingerprint: hash.digest('hex') }
}

/** An extraction goes on. */
export interface SetExtraction extends ExtractionProgress {
  readonly part: SetPart
}

/**
 * The features of both parts of a set, from a cache where they are in it.
 * @throws TrexError as `extractCached` does.
 */
export async function* setFeatures(
  { found: { name, root }, data }: OpenSet,
  opened: OpenEncoder,
  { cache, ...options }: ExtractionOptions & { readonly cache: string },
): AsyncGenerator<SetExtraction, SetFeatures, void> {
  const stored = { trainval: empty, test: empty }
  for (const part of PARTS) {
    const images = { samples: data[part], classes: data.classes, root, name: `${name} ${part}` }
    const events = extractCached(cache, opened, images, options)
    let event = await events.next()
    for (; !event.done; event = await events.next()) yield { ...event.value, part }
    const { features, dim, labels } = readFeatureFile(event.value.file)
    const { leftOut } = event.value.info
    stored[part] = {
      set: { features, dim, labels },
      leftOut: leftOut.map(({ index }) => index),
    }
  }
  const { trainval, test } = stored
  return {
    classes: data.classes.length,
    parts: { trainval: trainval.set, test: test.set },
    multiLabel: data.targets
      ? { trainval: withTargets(data, 'trainval', trainval), test: withTargets(data, 'test', test) }
      : null,
    leftOut: trainval.leftOut.length + test.leftOut.length,
  }
}

interface Stored {
  readonly set: FeatureSet
  /** Places of images without a row, among all of the part. */
  readonly leftOut: readonly number[]
}

const empty: Stored = {
  set: { features: new Float32Array(0), dim: 0, labels: new Int32Array(0) },
  leftOut: [],
}

function withTargets(
  { targets, difficult, classes: names }: TransferData,
  part: SetPart,
  { set, leftOut }: Stored,
): MultiLabelSet {
  const classes = names.length
  const out = new Set(leftOut)
  const kept = (all: Uint8Array) => all.filter((_, i) => !out.has(Math.floor(i / classes)))
  return {
    ...{ features: set.features, dim: set.dim, targets: kept(targets![part]), classes },
    ...(difficult && { ignored: kept(difficult[part]) }),
  }
}
