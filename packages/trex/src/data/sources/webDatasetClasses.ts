import { TrexError } from '../../errors.js'
import type { LabelledImage, LabelledParts, ShardImage } from './webDatasetItem.js'
import { labelsByKey } from './webDatasetLabels.js'
import { buildTree, classFolders, dataFolder, partFolders, type TreeFolder } from './webDatasetTree.js'

/** Images of one part of a data set, or of all of it, and the folders of their shards. */
export interface ShardPart {
  readonly images: readonly ShardImage[]
  readonly folders: readonly string[]
}

/** Labels from files beside the images; folders train/ and val/ at the top decide the parts where `val` is null. */
export function byLabelFiles(train: ShardPart, val: ShardPart | null): LabelledParts {
  if (val) return { ...labelsByKey(train.images, val.images), ignored: {} }
  const folder = dataFolder(buildTree(train.images, train.folders), false)
  const parts = folder.hasImages ? null : partFolders(folder)
  if (!parts?.val) return { ...labelsByKey(train.images, null), ignored: {} }
  const inTrain = train.images.filter((image) => image.member.badName || liesIn(parts.train)(image))
  const ignored = Object.fromEntries(parts.others.map((name) => [`folder ${name}/`, 1]))
  return { ...labelsByKey(inTrain, train.images.filter(liesIn(parts.val))), ignored }
}

/**
 * Labels from class folders, as `readImageDataset` finds them in the unpacked tree. Throws TrexError for an image
 * without a class folder, a class without images, a class of `val` that `train` does not have.
 */
export function byFolders(train: ShardPart, val: ShardPart | null, source: string): LabelledParts {
  const bad = train.images.filter(({ member }) => member.badName)
  const named = train.images.filter(({ member }) => !member.badName)
  const folder = dataFolder(buildTree(named, train.folders), val !== null)
  let trainFolder = folder
  let valFolder: TreeFolder | null = null
  let valImages: readonly ShardImage[] = []
  let ignored: Record<string, number> = {}
  if (val) {
    valImages = val.images.filter(({ member }) => !member.badName)
    bad.push(...val.images.filter(({ member }) => member.badName))
    valFolder = dataFolder(buildTree(valImages, val.folders), true)
  } else {
    const parts = partFolders(folder)
    if (parts) {
      trainFolder = parts.train
      valFolder = parts.val
      valImages = valFolder ? named.filter(liesIn(valFolder)) : []
      ignored = Object.fromEntries(parts.others.map((name) => [`folder ${name}/`, 1]))
    }
  }
  const isStray = ({ member }: ShardImage) => !member.name.slice(folder.path.length).includes('/')
  const ofTrain = classFolders(trainFolder, named.filter(either(liesIn(trainFolder), isStray)), source)
  const labels = new Map(ofTrain.classes.map((name, label) => [name, label]))
  const labelled = (placed: { image: ShardImage; className: string }[]): LabelledImage[] =>
    placed.map(({ image, className }) => ({ image, label: labels.get(className)! }))
  const unread = bad.map((image) => ({ image, label: 0 }))
  const trainImages = [...labelled(ofTrain.images), ...unread]
  if (!valFolder) return { classes: ofTrain.classes, train: trainImages, val: null, ignored }
  const ofVal = classFolders(valFolder, valImages, source)
  const unknown = ofVal.classes.filter((name) => !labels.has(name))
  if (unknown.length > 0) {
    const names = unknown.slice(0, 5).join(', ') + (unknown.length > 5 ? ', ...' : '')
    throw new TrexError(
      `${source}: validation has ${unknown.length} class(es) that training does not have: ${names}`,
      {
        hint: 'the class folders for validation must be named as those for training',
      },
    )
  }
  return { classes: ofTrain.classes, train: trainImages, val: labelled(ofVal.images), ignored }
}

const liesIn =
  (folder: TreeFolder) =>
  ({ member }: ShardImage): boolean =>
    !member.badName && member.name.startsWith(folder.path)

const either =
  <T>(a: (value: T) => boolean, b: (value: T) => boolean) =>
  (value: T): boolean =>
    a(value) || b(value)
