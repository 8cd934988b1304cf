import { TrexError } from '../../errors.js'
import { findParts, partOfFolder } from './partNames.js'
import { nameOf, type ShardImage } from './webDatasetItem.js'

/** A folder of an archive. */
export interface TreeFolder {
  /** Its path, with a '/' at its end; '' at the top. */
  readonly path: string
  readonly folders: Map<string, TreeFolder>
  hasImages: boolean
}

/** The folders that archives hold together. */
export function buildTree(images: readonly ShardImage[], folders: readonly string[]): TreeFolder {
  const top: TreeFolder = { path: '', folders: new Map(), hasImages: false }
  const known = new Map<string, TreeFolder>([['', top]])
  const find = (path: string): TreeFolder => {
    const found = known.get(path)
    if (found) return found
    const slash = path.lastIndexOf('/')
    const folder: TreeFolder = { path: `${path}/`, folders: new Map(), hasImages: false }
    known.set(path, folder)
    find(path.slice(0, Math.max(slash, 0))).folders.set(path.slice(slash + 1), folder)
    return folder
  }
  for (const path of folders) find(path)
  for (const { member } of images) {
    if (member.badName) continue
    find(member.name.slice(0, Math.max(member.name.lastIndexOf('/'), 0))).hasImages = true
  }
  return top
}

/**
 * The folder that stands for the data set: the top one, or below folders that hold nothing but one folder of folders,
 * as photos/ does in photos/train/cat/001.jpg. `throughParts`: folders called train and the like are passed as well.
 */
export function dataFolder(top: TreeFolder, throughParts: boolean): TreeFolder {
  let folder = top
  while (folder.folders.size === 1 && !folder.hasImages) {
    const [name, inner] = [...folder.folders][0]!
    if (inner.folders.size === 0 || inner.hasImages || (partOfFolder(name) && !throughParts)) return folder
    folder = inner
  }
  return folder
}

/** The folders of the parts, as `readImageDataset` knows them by train/ and val/; null where there is no such pair. */
export function partFolders(
  folder: TreeFolder,
): { train: TreeFolder; val: TreeFolder | null; others: string[] } | null {
  const parts = findParts(folder.folders.keys(), (name) => {
    const { folders, hasImages } = folder.folders.get(name)!
    return folders.size > 0 && !hasImages
  })
  if (!parts) return null
  const [train, val] = [parts.train, parts.val].map((name) =>
    name === null ? null : folder.folders.get(name)!,
  )
  return { train: train!, val: val ?? null, others: parts.others }
}

/** Images by the class folders of `folder`, each class's sorted as `readImageFolder` sorts. Throws TrexError. */
export function classFolders(
  folder: TreeFolder,
  images: readonly ShardImage[],
  source: string,
): { classes: string[]; images: { image: ShardImage; className: string }[] } {
  const classes = [...folder.folders.keys()].sort()
  const start = folder.path.length
  const placed = images.map((image) => {
    const path = image.member.name.slice(start)
    const slash = path.indexOf('/')
    if (slash === -1) {
      throw new TrexError(
        `${nameOf(image)} has no class: it lies in no class folder, and no KEY.cls is beside it`,
        {
          hint: 'expected <class>/<image>.jpg in the archive, or KEY.jpg with KEY.cls',
        },
      )
    }
    // NUL sorts before all that a name may have, so folders are compared part by part.
    return { image, className: path.slice(0, slash), key: path.replaceAll('/', '\0') }
  })
  placed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.image.shard - b.image.shard))
  const filled = new Set(placed.map(({ className }) => className))
  const empty = classes.find((name) => !filled.has(name))
  if (empty !== undefined) {
    throw new TrexError(`the class folder ${folder.path}${empty} of ${source} has no images`, {
      hint: 'add images, or remove the folder from the archive',
    })
  }
  return { classes, images: placed }
}
