import { copyFile, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { TrexError } from '../errors.js'
import { prepareOnce } from './cache.js'
import { commonEmoji, type Emoji, hashOrder, stratifiedOrder } from './emojiCatalogue.js'
import { type EmojiStyle, emojiStyles, loadIconSet } from './iconSets.js'
import { inParallel, type RenderJob, renderAll } from './render.js'

/** What `prepareEmoji` is asked for. */
export interface EmojiOptions {
  /** Side of the pictures in pixels. */
  size: number
  /** Number of emoji to train on. */
  seenClasses: number
  /** Number of other emoji, used for transfer alone. */
  unseenClasses: number
  /** The style kept for validation and testing: no encoder sees it in training. */
  heldOutStyle: EmojiStyle
  seed: number
  onProgress?: (done: number, total: number) => void
}

/** A style of drawing and its terms. */
export interface StyleCredit {
  style: EmojiStyle
  name: string
  licence: string
  author: string
  url: string
}

/** Folders of class folders, ready to train on and to probe. */
export interface EmojiFolders {
  /** Training task: class = seen emoji, five styles. */
  train: string
  /** Training task: the same classes in the held-out style. */
  val: string
  /** Transfer: class = unseen emoji; five styles to fit on, the held-out style to test on. */
  unseen: { train: string; test: string }
  /** Transfer: class = Unicode group; the emoji tested on are not those fitted on; all styles. */
  groups: { train: string; test: string }
  styles: StyleCredit[]
  counts: EmojiCounts
  /** True when the pictures were there already. */
  reused: boolean
}

/** Numbers of pictures and classes. */
export interface EmojiCounts {
  available: number
  seenClasses: number
  unseenClasses: number
  groupClasses: number
  train: number
  val: number
  unseenTrain: number
  unseenTest: number
  groupsTrain: number
  groupsTest: number
}

interface Picture {
  emoji: Emoji
  style: EmojiStyle
  file: string
}

/**
 * Renders the emoji data set of the demo under `cacheDir`, or finds it there.
 *
 * Seen and unseen emoji are split by a seeded hash, each with the groups in their overall proportions.
 * @throws TrexError if a package is missing or more emoji are asked for than all six sets share
 */
export async function prepareEmoji(cacheDir: string, options: EmojiOptions): Promise<EmojiFolders> {
  const { size, seenClasses, unseenClasses, heldOutStyle, seed, onProgress } = options
  const sets = await Promise.all(emojiStyles.map((style) => loadIconSet(style)))
  const all = stratifiedOrder(commonEmoji(sets), seed)
  if (seenClasses + unseenClasses > all.length) {
    throw new TrexError(
      `${seenClasses} seen + ${unseenClasses} unseen emoji were asked for, but the sets share ${all.length}.`,
      { hint: `Ask for at most ${all.length} in all.` },
    )
  }
  const seen = all.slice(0, seenClasses)
  const unseen = all.slice(seenClasses, seenClasses + unseenClasses)
  const versions = Object.fromEntries(sets.map((set) => [set.style, set.version]))
  const params = { layout: 1, size, seenClasses, unseenClasses, heldOutStyle, seed, versions }

  const { folder, record, reused } = await prepareOnce(cacheDir, 'emoji', params, async (root) => {
    const seenPictures = pictures(seen, join(root, 'emoji'), 'val', heldOutStyle)
    const unseenPictures = pictures(unseen, join(root, 'unseen'), 'test', heldOutStyle)
    const drawn = [...seenPictures, ...unseenPictures]
    const jobs: RenderJob[] = drawn.map(({ emoji, style, file }) => ({ icon: emoji.drawings[style], file }))
    await renderAll(jobs, size, onProgress)
    const groupCounts = await copyGroups(join(root, 'groups'), unseen, unseenPictures, seed)
    const heldOut = (list: Picture[]) => list.filter(({ style }) => style === heldOutStyle).length
    return {
      available: all.length,
      seenClasses,
      unseenClasses,
      ...groupCounts,
      train: seenPictures.length - heldOut(seenPictures),
      val: heldOut(seenPictures),
      unseenTrain: unseenPictures.length - heldOut(unseenPictures),
      unseenTest: heldOut(unseenPictures),
    } satisfies EmojiCounts
  })
  return {
    train: join(folder, 'emoji', 'train'),
    val: join(folder, 'emoji', 'val'),
    unseen: { train: join(folder, 'unseen', 'train'), test: join(folder, 'unseen', 'test') },
    groups: { train: join(folder, 'groups', 'train'), test: join(folder, 'groups', 'test') },
    styles: sets.map(({ style, name, licence, author, url }) => ({ style, name, licence, author, url })),
    counts: record,
    reused,
  }
}

function pictures(
  emoji: readonly Emoji[],
  folder: string,
  heldOutSplit: string,
  heldOut: EmojiStyle,
): Picture[] {
  return emoji.flatMap((e) =>
    emojiStyles.map((style) => {
      const split = style === heldOut ? heldOutSplit : 'train'
      return { emoji: e, style, file: join(folder, split, e.name, `${style}.png`) }
    }),
  )
}

/** Copies the unseen emoji's pictures into one class a group; every third emoji of a group is for the test. */
async function copyGroups(folder: string, unseen: readonly Emoji[], drawn: readonly Picture[], seed: number) {
  const copies: { from: string; to: string; split: 'train' | 'test' }[] = []
  let groupClasses = 0
  for (const group of new Set(unseen.map((e) => e.group))) {
    const members = hashOrder(
      unseen.filter((e) => e.group === group),
      seed,
    )
    if (members.length < 3) continue
    groupClasses += 1
    for (const { emoji, style, file } of drawn.filter((p) => p.emoji.group === group)) {
      const split = members.indexOf(emoji) % 3 === 2 ? 'test' : 'train'
      copies.push({ from: file, to: join(folder, split, slug(group), `${emoji.name}.${style}.png`), split })
    }
  }
  for (const parent of new Set(copies.map(({ to }) => dirname(to)))) await mkdir(parent, { recursive: true })
  await inParallel(copies, ({ from, to }) => copyFile(from, to))
  const count = (split: string) => copies.filter((c) => c.split === split).length
  return { groupClasses, groupsTrain: count('train'), groupsTest: count('test') }
}

/** `Food & Drink` -> `food-and-drink`: a folder name on every system. */
function slug(group: string): string {
  return group
    .toLowerCase()
    .replaceAll('&', 'and')
    .replaceAll(/[^a-z0-9]+/g, '-')
}
