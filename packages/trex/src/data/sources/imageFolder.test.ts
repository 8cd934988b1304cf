import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TrexError } from '../../errors.js'
import { readImageDataset, readImageFolder, splitTrainVal } from './imageFolder.js'
import type { Sample } from './sample.js'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'trex-folder-'))
})
afterEach(() => rm(root, { recursive: true }))

async function touch(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), '')
  }
}
const shown = (samples: readonly Sample[]) =>
  samples.map(({ path, label }) => `${label} ${relative(root, path)}`)

describe('readImageFolder', () => {
  test('sorts by code unit and leaves hidden and other files out', async () => {
    await touch(
      'b/10.jpg',
      'b/9.JPG',
      'b/Z.png',
      'b/a.webp',
      'B/x.jpeg',
      'é/x.gif',
      'b/.hidden.jpg',
      'b/._9.jpg',
    )
    await touch('b/notes.txt', 'b/README', 'top.jpg', '.git/x.jpg', 'b/deeper/1.tif', 'b/deeper/2.bmp')
    const { classes, samples, ignored } = await readImageFolder(root)
    expect(classes).toEqual(['B', 'b', 'é'])
    const b = ['10.jpg', '9.JPG', 'Z.png', 'a.webp', 'deeper/1.tif'].map((name) => `1 b/${name}`)
    expect(shown(samples)).toEqual(['0 B/x.jpeg', ...b, '2 é/x.gif'])
    const outside = { 'image outside the class folders': 1 }
    expect(ignored).toEqual({ '.txt': 1, '': 1, '.bmp': 1, hidden: 3, ...outside })
  })
  test('follows links, but no loops', async () => {
    await touch('a/1.jpg', 'a/sub/2.jpg', 'b/3.jpg')
    await symlink(join(root, 'a'), join(root, 'a/sub/up'))
    await symlink(join(root, 'b/3.jpg'), join(root, 'a/link.jpg'))
    await symlink(root, join(root, 'a/sub/all'))
    await symlink(join(root, 'a/sub'), join(root, 'c'))
    await symlink(join(root, 'gone'), join(root, 'd'))
    const { classes, samples, ignored } = await readImageFolder(root)
    expect(classes).toEqual(['a', 'b', 'c'])
    expect(ignored).toEqual({ 'link to a folder around it': 4, 'broken link': 1 })
    expect(shown(samples)).toEqual(['0 a/1.jpg', '0 a/link.jpg', '0 a/sub/2.jpg', '1 b/3.jpg', '2 c/2.jpg'])
  })
})

describe('readImageDataset', () => {
  test('train/ and val/: labels of val are those of train', async () => {
    await touch('train/a/1.jpg', 'train/b/2.jpg', 'train/c/3.jpg', 'val/c/4.jpg', 'val/b/5.jpg')
    const { classes, train, val } = await readImageDataset(root)
    expect(classes).toEqual(['a', 'b', 'c'])
    expect(shown(train)).toEqual(['0 train/a/1.jpg', '1 train/b/2.jpg', '2 train/c/3.jpg'])
    expect(shown(val)).toEqual(['1 val/b/5.jpg', '2 val/c/4.jpg'])
  })
  test('train/ and test/ without val/ holds part of train/ out', async () => {
    await touch('train/a/1.jpg', 'train/a/2.jpg', 'train/b/3.jpg', 'train/b/4.jpg', 'test/a/5.jpg')
    const { train, val } = await readImageDataset(root, { seed: 3 })
    expect([train.length, val.length]).toEqual([2, 2])
    expect(shown([...train, ...val]).every((name) => name.includes('train/'))).toBe(true)
  })
  test('class folders are split by the seed; a class called train is a class', async () => {
    const names = ['bus', 'train', 'tram'].flatMap((c) =>
      Array.from({ length: 20 }, (_, i) => `${c}/${i}.jpg`),
    )
    await touch(...names)
    const split = (seed: number) => readImageDataset(root, { valFraction: 0.25, seed })
    const { classes, train, val } = await split(1)
    expect(classes).toEqual(['bus', 'train', 'tram'])
    expect([0, 1, 2].map((label) => val.filter((s) => s.label === label).length)).toEqual([5, 5, 5])
    expect([...shown(train), ...shown(val)].sort()).toEqual(
      shown((await readImageFolder(root)).samples).sort(),
    )
    expect(shown((await split(1)).val)).toEqual(shown(val))
    expect(shown((await split(2)).val)).not.toEqual(shown(val))
  })
  const failures: [string, string[], RegExp][] = [
    ['empty', [], /has no class folders/],
    ['only files', ['1.jpg'], /has no class folders/],
    ['a single class', ['a/1.jpg'], /single class, a/],
    ['a class without images', ['a/1.jpg', 'b/notes.txt'], /class folder .*b has no images/],
    ['val class unknown to train', ['train/a/1.jpg', 'train/b/1.jpg', 'val/z/1.jpg'], /val has 1 class.*: z/],
  ]
  test.each(failures)('refuses: %s', async (_, paths, message) => {
    await touch(...paths)
    const error = await readImageDataset(root).catch((e) => e)
    expect(error).toBeInstanceOf(TrexError)
    expect(error.message).toMatch(message)
    expect(error.message).toContain(root)
    expect(error.hint).toBeTruthy()
  })
  test('refuses: missing, not a directory', async () => {
    await touch('file')
    await expect(readImageDataset(join(root, 'gone'))).rejects.toThrow(/no such folder/)
    await expect(readImageDataset(join(root, 'file'))).rejects.toThrow(/not a directory/)
  })
})

test('splitTrainVal: at least one image a class, none of a class of one', () => {
  const samples = [1, 2, 5, 30].flatMap((n, label) =>
    Array.from({ length: n }, (_, i) => ({ path: `${i}`, label })),
  )
  const { train, val } = splitTrainVal(samples, 0.1, 0)
  const counts = (part: typeof train) =>
    [0, 1, 2, 3].map((label) => part.filter((s) => s.label === label).length)
  expect(counts(val)).toEqual([0, 1, 1, 3])
  expect(counts(train)).toEqual([1, 1, 4, 27])
  expect(splitTrainVal(samples, 0, 0)).toEqual({ train: samples, val: [] })
  expect(() => splitTrainVal(samples, 1, 0)).toThrow(RangeError)
})

test('folders beside train/ and val/ are left out and counted', async () => {
  await touch('train/a/1.jpg', 'train/b/1.jpg', 'val/a/1.jpg', 'unlabelled/x.jpg', 'test/a/1.jpg')
  const { classes, train, val, ignored } = await readImageDataset(root)
  expect({ classes, train: train.length, val: val.length }).toEqual({ classes: ['a', 'b'], train: 2, val: 1 })
  expect(ignored).toEqual({ 'folder unlabelled/': 1, 'folder test/': 1 })
})

test.each([
  ['training', 'validation'],
  ['Train', 'Val'],
  ['train2017', 'val2017'],
  ['train', 'valid'],
])('%s/ and %s/ are parts as well', async (train, val) => {
  await touch(`${train}/a/1.jpg`, `${train}/b/1.jpg`, `${val}/a/1.jpg`)
  const data = await readImageDataset(root)
  expect(data).toMatchObject({ classes: ['a', 'b'], ignored: {} })
  expect([data.train.length, data.val.length]).toEqual([2, 1])
})

test('train/ of folders alone is a part beside others; a class called train is not', async () => {
  await touch('train/a/1.jpg', 'train/b/1.jpg', 'extra/1.jpg')
  expect(await readImageDataset(root)).toMatchObject({ classes: ['a', 'b'], ignored: { 'folder extra/': 1 } })
  await touch('train/2.jpg')
  expect((await readImageDataset(root)).classes).toEqual(['extra', 'train'])
})
