import { createHash } from 'node:crypto'
import {
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
  /** Of the images and labels of both parts. */
  readonly fingerprint: string
}

/** An extraction goes on. */
export interface SetExtraction extends ExtractionProgress {
  readonly part: SetPart
}

/**
 * The features of both parts of a set, from a cache where they are in it.
 * @throws TrexError as the set's reader and `extractCached` do.
 */
export async function* setFeatures(
  { name, set, root }: FoundSet,
  opened: OpenEncoder,
  { cache, ...options }: ExtractionOptions & { readonly cache: string },
): AsyncGenerator<SetExtraction, SetFeatures, void> {
  const data = await set.open(root)
  const stored = { trainval: empty, test: empty }
  for (const part of PARTS) {
    const images = { samples: data[part], classes: data.classes, root, name: `${name} ${part}` }
    const events = extractCached(cache, opened, images, options)
    let event = await events.next()
    for (; !event.done; event = await events.next()) yield { ...event.value, part }
    const { features, dim, labels } = readFeatureFile(event.value.file)
    const { identity, leftOut } = event.value.info
    stored[part] = {
      set: { features, dim, labels },
      data: identity.data,
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
    fingerprint: createHash('sha256').update(`${trainval.data} ${test.data}`).digest('hex'),
  }
}

interface Stored {
  readonly set: FeatureSet
  readonly data: string
  /** Places of images without a row, among all of the part. */
  readonly leftOut: readonly number[]
}

const empty: Stored = {
  set: { features: new Float32Array(0), dim: 0, labels: new Int32Array(0) },
  data: '',
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
