import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { findSets } from './findSets.js'

const root = mkdtempSync(join(tmpdir(), 'trex-find-sets-'))
afterAll(() => rmSync(root, { recursive: true }))
const folders = (...paths: string[]) => {
  for (const path of paths) mkdirSync(join(root, path), { recursive: true })
}
folders('zebras/train', 'zebras/test', 'ants/trainval', 'ants/val', 'notes', '.cache')
folders('dtd/images', 'dtd/labels', 'pets/train', 'pets/test', 'cog')
for (const part of ['train1', 'val1']) writeFileSync(join(root, `dtd/labels/${part}.txt`), '')
writeFileSync(join(root, 'readme.txt'), '')

test('whole sets are found, and the rest is named with what it lacks', async () => {
  const { sets, passedOver } = await findSets(root)
  expect(sets.map(({ name, set }) => [name, set.name])).toEqual([
    ['ants', 'folder'],
    ['zebras', 'folder'],
  ])
  expect(passedOver).toEqual([
    { name: 'cog-l1', why: 'it lacks everything' },
    ...[2, 3, 4, 5].map((level) => ({ name: `cog-l${level}`, why: 'it lacks everything' })),
    { name: 'dtd', why: 'it lacks labels/test1.txt' },
    {
      name: 'pets',
      why: expect.stringMatching(/is not Oxford-IIIT Pets as published: it lacks .*; rename it/),
    },
    { name: 'notes', why: 'it has no train and test folders of classes' },
  ])
})

test('a known set is taken once it is whole, before the others', async () => {
  writeFileSync(join(root, 'dtd/labels/test1.txt'), '')
  expect((await findSets(root)).sets.map(({ name }) => name)).toEqual(['dtd', 'ants', 'zebras'])
  expect((await findSets(root, ['zebras', 'dtd'])).sets.map(({ name }) => name)).toEqual(['dtd', 'zebras'])
  rmSync(join(root, 'dtd/labels/test1.txt'))
})

test('what is asked for and not there is an error that says why', async () => {
  await expect(findSets(root, ['dtd'])).rejects.toThrow(`dtd is not below ${root}: it lacks labels/test1.txt`)
  await expect(findSets(root, ['zebra'])).rejects.toMatchObject({
    message: `zebra is not below ${root} (did you mean "zebras"?)`,
    hint: 'there are ants, zebras',
  })
  await expect(findSets(root, ['voc2007'])).rejects.toMatchObject({
    hint: 'there are ants, zebras; `trex datasets how voc2007` says how it looks',
  })
  await expect(findSets(join(root, 'dtd'))).rejects.toThrow(
    /no data set lies below .*\n {2}images: it has no/,
  )
  await expect(findSets(join(root, 'readme.txt'))).rejects.toThrow('there is no folder')
})
