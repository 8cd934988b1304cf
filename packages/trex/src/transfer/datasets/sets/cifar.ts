import { join } from 'node:path'
import { readCifar } from '../../../data/sources/cifar.js'
import { TrexError } from '../../../errors.js'
import { CIFAR_PICKLES, readCifarPickles } from '../readers/cifarPickles.js'
import { namesIn } from '../readers/namesIn.js'
import { type TransferData, transferSet } from '../transferSet.js'

const BINARY = { 10: 'cifar-10-batches-bin', 100: 'cifar-100-binary' } as const

/** CIFAR-10 and CIFAR-100 (Krizhevsky 2009); both versions give the same images in the same order. */
export const CIFAR = ([10, 100] as const).map((classes) =>
  transferSet(
    {
      name: `cifar${classes}`,
      title: `CIFAR-${classes}`,
      counts: { classes, trainval: 50_000, test: 10_000 },
      split: 'published',
      licence: 'none stated',
      how: `Get cifar-${classes}-binary.tar.gz or cifar-${classes}-python.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html and
unpack it into ROOT.
ROOT/${BINARY[classes]}/   the binary version, or
ROOT/${CIFAR_PICKLES[classes].folder}/   the one for Python`,
      needs: [],
      folder: `cifar${classes}`,
      probe: 'lbfgs',
      multiLabel: false,
      role: 'further',
    },
    (root) => readEither(root, classes),
  ),
)

async function readEither(root: string, classes: 10 | 100): Promise<TransferData> {
  const names = await namesIn(root)
  const inner = [BINARY[classes], CIFAR_PICKLES[classes].folder].find((name) => names.includes(name))
  const folder = inner === undefined ? root : join(root, inner)
  const files = inner === undefined ? names : await namesIn(folder)
  if (CIFAR_PICKLES[classes].files.some((name) => files.includes(name)))
    return readCifarPickles(folder, classes)
  if (!files.some((name) => name.endsWith('.bin')))
    throw new TrexError(`${folder} has no files of CIFAR-${classes}`)
  const { classes: found, train, val } = await readCifar(folder)
  return { classes: found, trainval: train, test: val }
}
