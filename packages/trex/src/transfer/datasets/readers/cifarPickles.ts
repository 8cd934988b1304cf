import { join } from 'node:path'
import { PickleObject, type PickleValue } from '../../../checkpoints/pickleValues.js'
import type { Sample } from '../../../data/sources/sample.js'
import { TrexError } from '../../../errors.js'
import type { TransferData } from '../transferSet.js'
import { numpyArray } from './numpyPickle.js'
import { itemsOf, readPickle, textsOf } from './pathPickle.js'

const SIDE = 32
const PIXEL_BYTES = 3 * SIDE * SIDE
const FIVE = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}`)

/** The files of CIFAR's version for Python. */
export const CIFAR_PICKLES = {
  10: {
    folder: 'cifar-10-batches-py',
    files: [...FIVE, 'test_batch'],
    train: FIVE,
    test: 'test_batch',
    labels: 'labels',
    meta: 'batches.meta',
    names: 'label_names',
  },
  100: {
    folder: 'cifar-100-python',
    files: ['train', 'test', 'meta'],
    train: ['train'],
    test: 'test',
    labels: 'fine_labels',
    meta: 'meta',
    names: 'fine_label_names',
  },
} as const

/**
 * Reads CIFAR's version for Python into shared memory, running nothing in it.
 * @throws TrexError naming the file that is missing, or no pickle of images and labels.
 */
export async function readCifarPickles(folder: string, set: 10 | 100): Promise<TransferData> {
  const { train, test, labels, meta, names } = CIFAR_PICKLES[set]
  const classes = await readPickle(join(folder, meta), (value) => textsOf(member(value, names), names))
  if (classes.length !== set)
    throw new TrexError(`${join(folder, meta)} names ${classes.length} classes, expected ${set}`)
  const batch = (file: string) =>
    readPickle(join(folder, file), (value) =>
      samplesOf(value, labels, { file: join(folder, file), classes: set }),
    )
  const trainval: Sample[][] = []
  for (const file of train) trainval.push(await batch(file))
  return { classes, trainval: trainval.flat(), test: await batch(test) }
}

function member(value: PickleValue, key: string): PickleValue {
  const found = value instanceof Map ? value.get(key) : undefined
  if (found === undefined) throw new RangeError(`it is no dict with ${key}`)
  return found
}

function samplesOf(
  value: PickleValue,
  labelKey: string,
  { file, classes }: { file: string; classes: number },
): Sample[] {
  const labels = itemsOf(member(value, labelKey), labelKey)
  const content = member(value, 'data')
  if (!(content instanceof PickleObject)) throw new RangeError('data is no array of NumPy')
  const { shape, dtype, data } = numpyArray(content, 'data')
  const fits = dtype === 'u1' && shape.length === 2 && shape[1] === PIXEL_BYTES && data instanceof Uint8Array
  if (!fits) throw new RangeError(`data is an array [${shape}] of ${dtype}, not [N, ${PIXEL_BYTES}] of u1`)
  if (shape[0] !== labels.length)
    throw new RangeError(`there are ${shape[0]} images, but ${labels.length} labels`)
  const memory = new SharedArrayBuffer(data.length)
  new Uint8Array(memory).set(data)
  return labels.map((label, i) => {
    if (!(Number.isInteger(label) && (label as number) >= 0 && (label as number) < classes))
      throw new RangeError(`label ${i} is ${String(label)}, expected 0 to ${classes - 1}`)
    const at = {
      kind: 'pixels',
      memory,
      offset: i * PIXEL_BYTES,
      width: SIDE,
      height: SIDE,
      channels: 3,
    } as const
    return { path: `${file}#${i}`, label: label as number, at }
  })
}
