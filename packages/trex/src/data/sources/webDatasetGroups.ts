import { TrexError } from '../../errors.js'
import { IMAGE_EXTENSIONS } from './imageFolder.js'
import { type ShardIndex, type ShardMember, wdsExtension, wdsKey } from './shardIndex.js'
import { nameOf, type ShardImage } from './webDatasetItem.js'

/** The images of a shard, each with the label files of its key. */
export function imagesOf(shard: number, archive: string, index: ShardIndex): ShardImage[] {
  const labels = new Map<string, { cls?: ShardMember; json?: ShardMember }>()
  for (const member of index.members) {
    if (member.kind === 'image') continue
    const key = wdsKey(member.name)
    labels.set(key, { ...labels.get(key), [member.kind]: member })
  }
  return index.members
    .filter(({ kind }) => kind === 'image')
    .map((member) => ({ shard, archive, member, ...(member.badName ? {} : labels.get(wdsKey(member.name))) }))
}

/** Whether labels come from files beside the images: then all of them have to. */
export const hasLabelFiles = (images: readonly ShardImage[]): boolean =>
  images.some(({ cls, json }) => cls !== undefined || (json?.label ?? null) !== null)

/**
 * The one image of each key: KEY.jpg; another one, such as KEY.mask.png, is no image of the data set and counted in
 * `ignored`. Throws TrexError where a key has two, KEY.jpg and KEY.png.
 */
export function imagesOfKeys(
  images: readonly ShardImage[],
  ignored: Record<string, number>,
): readonly ShardImage[] {
  const seen = new Map<string, ShardImage>()
  return images.filter((image) => {
    const { name, badName } = image.member
    if (badName) return true
    const end = `.${wdsExtension(name)}`
    if (!IMAGE_EXTENSIONS.includes(end)) {
      ignored[end] = (ignored[end] ?? 0) + 1
      return false
    }
    const key = `${image.shard} ${wdsKey(name)}`
    const other = seen.get(key)
    seen.set(key, image)
    if (other === undefined) return true
    throw new TrexError(`${nameOf(other)} and ${name} are two images of one sample, ${wdsKey(name)}`, {
      hint: 'give each sample one image; a further one takes a name of its own, as KEY.mask.png',
    })
  })
}

/** Counts label files that have no image, and those that say no label, among what is ignored. */
export function countUnusedLabels(
  index: ShardIndex,
  images: readonly ShardImage[],
  ignored: Record<string, number>,
): void {
  const used = new Set(images.flatMap(({ cls, json }) => [cls, json?.label == null ? undefined : json]))
  for (const member of index.members) {
    if (member.kind === 'image' || used.has(member)) continue
    const kind = `.${member.kind}`
    ignored[kind] = (ignored[kind] ?? 0) + 1
  }
}
