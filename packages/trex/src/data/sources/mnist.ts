import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { TrexError } from '../../errors.js'
import { readIdxFile } from './idx.js'
import type { ImageDataset, Sample } from './sample.js'

const CLASSES = 10
const PARTS = ['train', 't10k'] as const
const KINDS = ['images-idx3', 'labels-idx1'] as const

/** Whether a folder with these entries is of the files of MNIST. */
export function isMnist(names: ReadonlySet<string>): boolean {
  return PARTS.some((part) => KINDS.some((kind) => spellings(part, kind).some((name) => names.has(name))))
}

/**
 * Reads MNIST or a set of its format (Fashion-MNIST, KMNIST) from its four IDX files, plain or `.gz`, into shared
 * memory: grey images, classes `0` to `9`; the test images (`t10k`) are the validation part.
 * @throws TrexError for files that are missing, damaged or do not fit each other, and for labels that are no digits
 */
export async function readMnist(folder: string): Promise<ImageDataset> {
  const names = new Set(await readdir(folder))
  const wanted = PARTS.flatMap((part) => KINDS.map((kind) => spellings(part, kind)))
  const files = wanted.map((all) => all.find((name) => names.has(name)))
  const missing = wanted.filter((_, i) => files[i] === undefined).map(([name]) => name)
  if (missing.length > 0)
    throw new TrexError(
      `${folder} has ${4 - missing.length} of MNIST's 4 files: ${missing.join(', ')} missing`,
      {
        hint: 'fetch them into this folder; .gz files need not be unpacked',
      },
    )
  const [trainImages, trainLabels, testImages, testLabels] = files.map((name) => join(folder, name!))
  return {
    classes: Array.from({ length: CLASSES }, (_, digit) => String(digit)),
    train: await readPart(trainImages!, trainLabels!),
    val: await readPart(testImages!, testLabels!),
    ignored: {},
  }
}

/** What a file is called: with - or . before idx, compressed or not; the first that is there counts. */
function spellings(part: (typeof PARTS)[number], kind: (typeof KINDS)[number]): string[] {
  const plain = [`${part}-${kind}-ubyte`, `${part}-${kind.replace('-idx', '.idx')}-ubyte`]
  return [...plain, ...plain.map((name) => `${name}.gz`)]
}

async function readPart(imageFile: string, labelFile: string): Promise<Sample[]> {
  const images = await readIdxFile(imageFile)
  const labels = await readIdxFile(labelFile)
  const [count, height, width] = images.shape
  const shapes = (error: string) =>
    new TrexError(error, { hint: 'these are not the files of one set: fetch both again' })
  if (images.shape.length !== 3 || !height || !width)
    throw shapes(`${imageFile} is of ${images.shape.join(' x ')} values, not of N x height x width`)
  if (labels.shape.length !== 1)
    throw shapes(`${labelFile} is of ${labels.shape.join(' x ')} values, not of N labels`)
  if (labels.shape[0] !== count)
    throw shapes(`${imageFile} has ${count} images, but ${labelFile} has ${labels.shape[0]} labels`)
  const memory = new SharedArrayBuffer(images.data.length)
  new Uint8Array(memory).set(images.data)
  return Array.from(labels.data, (label, i) => {
    if (label >= CLASSES)
      throw new TrexError(`${labelFile}: label ${i} is ${label}, expected 0 to ${CLASSES - 1}`, {
        hint: 'sets with more classes than MNIST are not read from IDX files: make class folders or a CSV of them',
      })
    const at = { kind: 'pixels', memory, offset: i * height * width, width, height, channels: 1 } as const
    return { path: `${imageFile}#${i}`, label, at }
  })
}
