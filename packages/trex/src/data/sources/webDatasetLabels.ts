import { TrexError } from '../../errors.js'
import type { RawLabel } from './shardLabel.js'
import { type LabelledImage, nameOf, type ShardImage } from './webDatasetItem.js'

const LARGEST_LABEL = 2 ** 31 - 1
const SHOWN = 10

/** Classes of label files, and the images of each part with their places. */
export interface KeyLabels {
  readonly classes: readonly string[]
  readonly train: readonly LabelledImage[]
  readonly val: readonly LabelledImage[] | null
}

/**
 * Labels from KEY.cls, else from KEY.json: integers, whose classes are "0" to the largest, or names, whose classes are
 * sorted by code unit. Throws TrexError naming shard and member for an image without a label, one that is neither,
 * integers and names in one data set, integers below 0 or above 2^31 - 1 or with gaps, a class of `val` that `train`
 * does not have. An image with a bad name has no key: its label is 0, and it is never read.
 */
export function labelsByKey(train: readonly ShardImage[], val: readonly ShardImage[] | null): KeyLabels {
  const all = [...train, ...(val ?? [])].filter(({ member }) => !member.badName)
  const raw = new Map(all.map((image) => [image, rawLabel(image)]))
  const [first] = all
  const odd = all.find((image) => typeof raw.get(image) !== typeof raw.get(first!))
  if (first && odd) {
    const [a, b] = [first, odd].map((image) => `${nameOf(image)} has ${shown(raw.get(image)!)}`)
    throw new TrexError(`labels are integers and names: ${a}, ${b}`, { hint: 'use one kind in all shards' })
  }
  const values = new Set(train.filter((image) => raw.has(image)).map((image) => raw.get(image)!))
  const classes = typeof raw.get(first!) === 'number' ? integerClasses(all, raw, values) : [...values].sort()
  const placeOf = new Map(classes.map((name, label) => [`${name}`, label]))
  const unknown = (val ?? []).find((image) => raw.has(image) && !values.has(raw.get(image)!))
  if (unknown) {
    const label = shown(raw.get(unknown)!)
    throw new TrexError(`${nameOf(unknown)} has ${label}, a class that no training image has`, {
      hint: 'name the same classes in the training and the validation shards',
    })
  }
  const place = (image: ShardImage) => ({ image, label: placeOf.get(`${raw.get(image)}`) ?? 0 })
  return { classes: classes.map(String), train: train.map(place), val: val?.map(place) ?? null }
}

const shown = (label: RawLabel) => `the label ${JSON.stringify(label)}`

function rawLabel(image: ShardImage): RawLabel {
  const { cls, json, archive } = image
  for (const file of [cls, json]) {
    if (file?.problem) {
      throw new TrexError(`the label ${archive}/${file.name} is not used: ${file.problem}`, {
        hint: 'pack the archive again with the label as a plain file',
      })
    }
  }
  if (cls && cls.label == null) {
    throw new TrexError(`${archive}/${cls.name} is no label`, {
      hint: "it has to hold an integer or a class's name, as UTF-8 text of one line",
    })
  }
  const label = cls?.label ?? json?.label
  if (label == null) {
    throw new TrexError(`${nameOf(image)} has no label, as other images have`, {
      hint: 'put KEY.cls beside it, or KEY.json with a "label" that is an integer or a name',
    })
  }
  const other = json?.label
  if (other != null && typeof other === typeof label && other !== label) {
    throw new TrexError(
      `${nameOf(image)} has two labels: ${shown(label)} by .cls, ${shown(other)} by .json`,
      {
        hint: 'correct one of them',
      },
    )
  }
  return label
}

function integerClasses(
  images: readonly ShardImage[],
  raw: Map<ShardImage, RawLabel>,
  values: Set<RawLabel>,
): number[] {
  const wrong = images.find((image) => !inRange(raw.get(image) as number))
  if (wrong) {
    throw new TrexError(`${nameOf(wrong)} has ${shown(raw.get(wrong)!)}, which is out of range`, {
      hint: `integer labels are 0, 1, 2, ..., up to ${LARGEST_LABEL}`,
    })
  }
  const count = [...values].reduce<number>((most, label) => Math.max(most, label as number), -1) + 1
  if (values.size < count) {
    const missing: number[] = []
    for (let label = 0; label < count && missing.length < SHOWN; label++)
      if (!values.has(label)) missing.push(label)
    const more = count - values.size > missing.length ? ', ...' : ''
    throw new TrexError(
      `labels go up to ${count - 1}, but no training image has ${missing.join(', ')}${more} (${count - values.size} missing)`,
      { hint: 'name all shards, or number the classes that are there from 0' },
    )
  }
  return Array.from({ length: count }, (_, label) => label)
}

const inRange = (label: number) => label >= 0 && label <= LARGEST_LABEL
