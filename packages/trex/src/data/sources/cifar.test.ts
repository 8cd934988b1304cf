import { mkdir, mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readCifar } from './cifar.js'
import type { PixelRecord, Sample } from './sample.js'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'trex-cifar-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

const NAMES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']
const BATCHES = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`)
/** Sizes of the published files, in bytes. */
const BATCH_BYTES = 30_730_000
const TRAIN_100_BYTES = 153_700_000
const TEST_100_BYTES = 30_740_000

/** A record whose planes hold 1 + label, 2 and 3, but for the first pixel of each: 10, 20, 30. */
const record = (...labels: number[]) => {
  const planes = [1 + labels.at(-1)!, 2, 3].map((value, c) =>
    Buffer.alloc(1024, value).fill(10 * (c + 1), 0, 1),
  )
  return Buffer.concat([Buffer.from(labels), ...planes])
}

/** A file that begins with records and is zeros (black images of label 0) up to its size; it takes no room on disk. */
async function sparse(file: string, size: number, ...records: Buffer[]): Promise<void> {
  await writeFile(file, Buffer.concat(records))
  await truncate(file, size)
}

async function cifar10(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [i, name] of BATCHES.entries())
    await sparse(join(folder, name), BATCH_BYTES, record(i), record(9 - i))
  await sparse(join(folder, 'test_batch.bin'), BATCH_BYTES, record(8))
  await writeFile(join(folder, 'batches.meta.txt'), `${NAMES.join('\n')}\n\n`)
}

const planesOf = ({ at }: Sample) => {
  const { memory, offset, width, height, channels } = at as PixelRecord
  expect([width, height, channels]).toEqual([32, 32, 3])
  return [0, 1, 2].map((c) => [...new Uint8Array(memory, offset + c * 1024, 2)])
}

describe('CIFAR-10', () => {
  test.each([
    ['its folder', ''],
    ['the folder around it', 'cifar-10-batches-bin'],
  ])('%s', async (_, inner) => {
    await cifar10(join(root, inner))
    const { classes, train, val } = await readCifar(root)
    expect(classes).toEqual(NAMES)
    expect([train.length, val.length]).toEqual([50_000, 10_000])
    expect([0, 1, 10_000, 40_001].map((i) => train[i]!.label)).toEqual([0, 9, 1, 5])
    expect(train[40_001]!.path).toBe(`${join(root, inner, 'data_batch_5.bin')}#1`)
    expect(planesOf(train[40_001]!)).toEqual([
      [10, 6],
      [20, 2],
      [30, 3],
    ])
    expect(planesOf(train[49_999]!)).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ])
    expect([val[0]!.label, planesOf(val[0]!)[0]]).toEqual([8, [10, 9]])
  })

  const damages: [string, (folder: string) => Promise<void>, RegExp][] = [
    [
      'a missing batch',
      (folder) => rm(join(folder, 'data_batch_3.bin')),
      /lacks files of CIFAR-10: data_batch_3.bin/,
    ],
    [
      'missing names',
      (folder) => rm(join(folder, 'batches.meta.txt')),
      /lacks files of CIFAR-10: batches.meta.txt/,
    ],
    [
      'a truncated batch',
      (folder) => truncate(join(folder, 'data_batch_2.bin'), 3073 * 9999),
      /data_batch_2.bin has 30726927 bytes, expected 30730000 \(10000 records\)/,
    ],
    [
      'a batch too long',
      (folder) => truncate(join(folder, 'test_batch.bin'), 3073 * 10_001),
      /test_batch.bin has 30733073 bytes, expected 30730000/,
    ],
    [
      'a label out of range',
      (folder) => sparse(join(folder, 'data_batch_4.bin'), BATCH_BYTES, record(1), record(10)),
      /data_batch_4.bin: label 1 is 10, expected 0 to 9/,
    ],
    [
      'too few names',
      (folder) => writeFile(join(folder, 'batches.meta.txt'), 'a\nb\n'),
      /names 2 classes, expected 10/,
    ],
    [
      'a folder for a batch',
      async (folder) => {
        await rm(join(folder, 'test_batch.bin'))
        await mkdir(join(folder, 'test_batch.bin'))
      },
      /cannot read .*test_batch.bin: it is a directory/,
    ],
  ]
  test.each(damages)('refuses %s', async (_, damage, message) => {
    await cifar10(root)
    await damage(root)
    const error = await readCifar(root).catch((e) => e)
    expect(error.message).toMatch(message)
    expect(error.hint).toBeTruthy()
  })
})

test('CIFAR-100: the fine label counts', async () => {
  const names = Array.from({ length: 100 }, (_, i) => `fine${i}`)
  await writeFile(join(root, 'fine_label_names.txt'), names.join('\n'))
  await writeFile(join(root, 'coarse_label_names.txt'), 'x\n')
  await sparse(join(root, 'train.bin'), TRAIN_100_BYTES, record(19, 99), record(3, 42))
  await sparse(join(root, 'test.bin'), TEST_100_BYTES, record(5, 7))
  const { classes, train, val } = await readCifar(root)
  expect(classes).toEqual(names)
  expect([train.length, val.length]).toEqual([50_000, 10_000])
  expect([train[0]!.label, train[1]!.label, train[2]!.label, val[0]!.label]).toEqual([99, 42, 0, 7])
  expect(planesOf(train[1]!)).toEqual([
    [10, 43],
    [20, 2],
    [30, 3],
  ])

  const file = await open(join(root, 'train.bin'), 'r+')
  await file.write(Buffer.of(100), 0, 1, 3074 * 49_999 + 1)
  await file.close()
  await expect(readCifar(root)).rejects.toThrow(/train.bin: label 49999 is 100, expected 0 to 99/)
})

test('the Python version, both sets', async () => {
  await writeFile(join(root, 'data_batch_1'), '')
  await expect(readCifar(root)).rejects.toThrow(/the Python version of CIFAR/)
  await mkdir(join(root, 'cifar-10-batches-bin'))
  await mkdir(join(root, 'cifar-100-binary'))
  await expect(readCifar(root)).rejects.toThrow(/has both CIFAR-10 and CIFAR-100/)
})
