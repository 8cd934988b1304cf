import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TrexError } from '../../errors.js'
import { readFully, withRegularFile } from '../decode/regularFile.js'
import type { ImageDataset, Sample } from './sample.js'

const SIDE = 32
const PIXEL_BYTES = 3 * SIDE * SIDE
const HINT = 'fetch the set again (cifar-10-binary.tar.gz or cifar-100-binary.tar.gz) and unpack it'

/** A set of the binary format: each record is its labels, then the red, green and blue plane of 32 x 32 bytes. */
interface CifarSet {
  readonly title: string
  readonly folder: string
  readonly train: readonly string[]
  readonly test: string
  readonly trainRecords: number
  readonly testRecords: number
  readonly names: string
  /** Any of these tells the set. */
  readonly telltales: readonly string[]
  readonly classes: number
  /** The bytes before the pixels; the last of them is the label (CIFAR-100 has a coarse one before). */
  readonly labelBytes: number
}

const SETS: readonly CifarSet[] = [
  {
    title: 'CIFAR-10',
    folder: 'cifar-10-batches-bin',
    train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
    test: 'test_batch.bin',
    trainRecords: 10_000,
    testRecords: 10_000,
    names: 'batches.meta.txt',
    telltales: ['data_batch_1.bin', 'data_batch_2.bin', 'test_batch.bin', 'batches.meta.txt'],
    classes: 10,
    labelBytes: 1,
  },
  {
    title: 'CIFAR-100',
    folder: 'cifar-100-binary',
    train: ['train.bin'],
    test: 'test.bin',
    trainRecords: 50_000,
    testRecords: 10_000,
    names: 'fine_label_names.txt',
    telltales: ['fine_label_names.txt', 'coarse_label_names.txt'],
    classes: 100,
    labelBytes: 2,
  },
]

const PICKLES = ['data_batch_1', 'cifar-10-batches-py', 'cifar-100-python']

/** Whether a folder with these entries is of CIFAR: its files, or the folder that its archive unpacks to. */
export function isCifar(names: ReadonlySet<string>): boolean {
  return (
    PICKLES.some((name) => names.has(name)) || SETS.some((set) => isOf(set, names) || names.has(set.folder))
  )
}

/**
 * Reads CIFAR-10 or CIFAR-100 of the binary version (the folder of its files, or the one around it) into shared memory:
 * classes in the order of their labels (the fine ones of CIFAR-100); the test images are the validation part.
 * @throws TrexError for files that are missing, of another size than the published ones, or with labels out of range
 */
export async function readCifar(root: string): Promise<ImageDataset> {
  const names = new Set(await readdir(root))
  const here = SETS.filter((set) => isOf(set, names))
  const below = SETS.filter(({ folder }) => names.has(folder))
  const found = here.length > 0 ? here : below
  if (found.length > 1)
    throw new TrexError(`${root} has both CIFAR-10 and CIFAR-100`, {
      hint: `name one: ${join(root, SETS[0]!.folder)}`,
    })
  const set = found[0]
  if (set === undefined)
    throw new TrexError(`${root} has the Python version of CIFAR, which is not read`, {
      hint: 'fetch the binary version: cifar-10-binary.tar.gz or cifar-100-binary.tar.gz',
    })
  return readSet(here.length > 0 ? root : join(root, set.folder), set)
}

const isOf = ({ telltales }: CifarSet, names: ReadonlySet<string>): boolean =>
  telltales.some((name) => names.has(name))

async function readSet(folder: string, set: CifarSet): Promise<ImageDataset> {
  const names = new Set(await readdir(folder))
  const missing = [...set.train, set.test, set.names].filter((name) => !names.has(name))
  if (missing.length > 0)
    throw new TrexError(`${folder} lacks files of ${set.title}: ${missing.join(', ')}`, { hint: HINT })
  const text = await readFile(join(folder, set.names), 'utf8')
  const classes = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  if (classes.length !== set.classes)
    throw new TrexError(
      `${join(folder, set.names)} names ${classes.length} classes, expected ${set.classes}`,
      { hint: HINT },
    )
  const train: Sample[] = []
  for (const name of set.train)
    for (const sample of await readBatch(join(folder, name), set, set.trainRecords)) train.push(sample)
  return { classes, train, val: await readBatch(join(folder, set.test), set, set.testRecords), ignored: {} }
}

async function readBatch(
  file: string,
  { labelBytes, classes }: CifarSet,
  records: number,
): Promise<Sample[]> {
  const size = records * (labelBytes + PIXEL_BYTES)
  const memory = new SharedArrayBuffer(size)
  const bytes = new Uint8Array(memory)
  const found = await withRegularFile(file, async (handle, there) =>
    there === size ? readFully(handle, bytes) : there,
  )
  if (found !== size)
    throw new TrexError(`${file} has ${found} bytes, expected ${size} (${records} records)`, { hint: HINT })
  return Array.from({ length: records }, (_, i) => {
    const offset = i * (labelBytes + PIXEL_BYTES) + labelBytes
    const label = bytes[offset - 1]!
    if (label >= classes)
      throw new TrexError(`${file}: label ${i} is ${label}, expected 0 to ${classes - 1}`, { hint: HINT })
    const at = { kind: 'pixels', memory, offset, width: SIDE, height: SIDE, channels: 3 } as const
    return { path: `${file}#${i}`, label, at }
  })
}
