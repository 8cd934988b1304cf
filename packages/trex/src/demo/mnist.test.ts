import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { prepareMnist } from './mnist.js'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'trex-mnist-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

test('the first pictures of each digit, in the order of the published files', async () => {
  const mnist = await prepareMnist(dir, { perClassTrain: 3, perClassTest: 2 })
  expect(mnist.counts).toEqual({ train: 30, test: 20 })
  // The published labels begin 5 0 4 1 9 2 1 3 1 4 (training) and 7 2 1 0 4 1 4 9 5 9 (test).
  for (const [i, digit] of [5, 0, 4, 1, 9, 2, 1, 3, 1, 4].entries()) {
    expect(await readdir(join(mnist.train, String(digit)))).toContain(`0000${i}.png`)
  }
  expect(await readdir(join(mnist.test, '7'))).toContain('00000.png')
  expect(await readdir(join(mnist.test, '9'))).toEqual(['00007.png', '00009.png'])

  const { data, info } = await sharp(join(mnist.train, '5', '00000.png'))
    .raw()
    .toBuffer({ resolveWithObject: true })
  expect(info).toMatchObject({ width: 28, height: 28 })
  const row = [...data.filter((_, i) => i % info.channels === 0)].slice(5 * 28 + 12, 5 * 28 + 24)
  // Row 5 of the first training picture, as printed in many a tutorial.
  expect(row).toEqual([3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127])

  expect(await prepareMnist(dir, { perClassTrain: 3, perClassTest: 2 })).toEqual({ ...mnist, reused: true })
})

test('says how many there are when too many are asked for', async () => {
  const run = prepareMnist(dir, { perClassTrain: 3, perClassTest: 1000 })
  await expect(run).rejects.toThrow(
    '1000 t10k pictures a digit were asked for, but MNIST has only 892 of one.',
  )
  expect((await readdir(dir)).filter((name) => name.startsWith('.'))).toEqual([])
})
